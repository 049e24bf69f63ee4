/** A call about one persona, on the clock of the process that made all of them. */
export interface Operation {
  readonly kind: 'read' | 'write'
  readonly persona: string
  readonly start: number
  /** When the answer was there; Infinity when none came, and it may still take effect. */
  readonly end: number
  /** The value that was written, or read. No two writes of a persona may share one. */
  readonly value: string
  /** The version that was read, or that the write was answered with; undefined when the writer was not told. */
  readonly version: number | undefined
}

type Placed = Operation & { readonly version: number }

/**
 * What contradicts that each persona is one register, whoever answers: a write or a read that takes effect at one moment
 * between its start and its end (linearizability: Herlihy and Wing, 1990). Every write makes the next version, so there is
 * one order that the writes can have taken effect in, and a history can be judged without a search: it is linearizable if
 * and only if nothing that began after something else had ended comes before it in that order.
 */
export function contradictions(history: readonly Operation[]): string[] {
  const personas = new Map<string, Operation[]>()
  for (const operation of history) {
    const known = personas.get(operation.persona) ?? []
    personas.set(operation.persona, known)
    known.push(operation)
  }
  return [...personas].flatMap(([persona, operations]) =>
    contradictionsOf(operations).map((contradiction) => `${persona}: ${contradiction}`),
  )
}

function contradictionsOf(operations: readonly Operation[]): string[] {
  const versionsRead = new Map(
    operations.flatMap(({ kind, value, version }) => (kind === 'read' ? [[value, version] as const] : [])),
  )
  const placed = operations.flatMap((operation): Placed[] => {
    // What a write without an answer has made, its readers tell; what nobody has read cannot contradict anything.
    const version = operation.version ?? versionsRead.get(operation.value)
    return version === undefined ? [] : [{ ...operation, version }]
  })
  const writes = placed.filter(({ kind }) => kind === 'write')
  return [...versionFaults(writes, operations.length), ...valueFaults(placed, writes), ...orderFaults(placed)]
}

/** Two writes that made the same version, and versions that more writes than there were must have made. */
function versionFaults(writes: readonly Placed[], operations: number): string[] {
  const byVersion = new Map<number, Placed>()
  const faults = writes.flatMap((write) => {
    const other = byVersion.get(write.version)
    byVersion.set(write.version, write)
    return other ? [`version ${write.version} was made by ${write.value} and by ${other.value}`] : []
  })
  const last = Math.max(0, ...byVersion.keys())
  return last > operations ? [...faults, `version ${last} after ${operations} operations`] : faults
}

function valueFaults(placed: readonly Placed[], writes: readonly Placed[]): string[] {
  const written = new Map(writes.map((write) => [write.version, write.value]))
  return placed
    .filter(({ kind, version, value }) => kind === 'read' && written.get(version) !== value)
    .map(({ version, value }) => `version ${version} was read as ${value}, written as ${written.get(version)}`)
}

/** Reads that show less than what was over before they began, and writes that come before it. */
function orderFaults(placed: readonly Placed[]): string[] {
  const byEnd = [...placed].sort((a, b) => a.end - b.end)
  const faults: string[] = []
  let newest = 0
  let ended = 0
  for (const operation of [...placed].sort((a, b) => a.start - b.start)) {
    for (let next = byEnd[ended]; next && next.end < operation.start; next = byEnd[++ended]) {
      newest = Math.max(newest, next.version)
    }
    const { kind, version, value, start } = operation
    if (kind === 'read' ? version >= newest : version > newest) continue
    faults.push(`a ${kind} of ${value} (version ${version}) began at ${start}, when version ${newest} was over`)
  }
  return faults
}
