import type { Source, SourceView, Target } from '../../src/transfer/ports.js'

/** What a process that was killed says: nothing. Only the test sees it. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

type Call = (name: string, run: () => Promise<unknown>) => Promise<unknown>

/** Passes every call of a side, and of the views that it hands out, through `call`. */
function through<T extends object>(side: T, call: Call): T {
  return new Proxy(side, {
    get(target, name: string) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function' || name === 'close' || name === 'objectionTo') return value
      return (...args: unknown[]) =>
        call(
          name,
          () =>
            Reflect.apply(
              value,
              target,
              args.map((arg) => watched(name, arg, call)),
            ) as Promise<unknown>,
        )
    },
  })
}

/** The callbacks of `snapshot` and `stopWrites` see views whose calls are passed through too. */
function watched(name: string, arg: unknown, call: Call): unknown {
  if (typeof arg !== 'function' || (name !== 'snapshot' && name !== 'stopWrites')) return arg
  const work = arg as (view: SourceView, seal: () => Promise<void>) => Promise<unknown>
  return (view: SourceView, seal: () => Promise<void>) =>
    work(through(view, call), () => call('seal', seal) as Promise<void>)
}

/** Both sides, which die after the first of their calls that it is time after: from then on nothing works any more. */
export function dyingWhen(
  isTime: (made: readonly string[]) => boolean | Promise<boolean>,
  source: Source,
  target: Target,
) {
  /** The calls that were made, in their order. */
  const made: string[] = []
  let isDead = false
  const call: Call = async (name, run) => {
    if (isDead) throw new Killed()
    const result = await run()
    made.push(name)
    isDead = await isTime(made)
    if (isDead) throw new Killed()
    return result
  }
  return { source: through(source, call), target: through(target, call), made }
}

/** A side with something that happens before the first call of a method. */
export function before<T extends object>(side: T, hooks: Partial<Record<keyof T, () => Promise<unknown>>>): T {
  const left = new Map(Object.entries(hooks) as [string, () => Promise<unknown>][])
  return through(side, async (name, run) => {
    const hook = left.get(name)
    left.delete(name)
    await hook?.()
    return run()
  })
}
