"""What Schemathesis is told beside its command line (SCHEMATHESIS_HOOKS)."""

from itertools import count

import schemathesis

HEADER = "Idempotency-Key"
# So many requests with a key that was there before are left as they are: retries, and keys that are used again.
LEFT_ALONE = 8
used = set()
numbers = count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """The document's example is one key for all requests: all but the first would be refused for that and nothing else."""
    key = (case.headers or {}).get(HEADER)
    number = next(numbers)
    if key in used and number % LEFT_ALONE:
        case.headers[HEADER] = f"fuzz-{number}"
    used.add(key)
