/** One line of values. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: Sample[]
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/
const LABELS = new RegExp(`^${LABEL.source}(,${LABEL.source})*$`)
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

/**
 * Reads Prometheus' text format 0.0.4, and nothing that is only like it.
 * @throws Error with the line that is not of the format
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line has no end.')
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let current: Family | undefined
  let help: readonly [string, string] | undefined
  for (const line of text.split('\n').filter((entry) => entry !== '')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (kind === 'HELP') {
      if (families.has(name)) throw new Error(`Told twice: ${line}`)
      help = [name, rest]
    } else if (kind === 'TYPE') {
      if (help?.[0] !== name || !SUFFIXES[rest]) throw new Error(`Out of order, or no type: ${line}`)
      current = { name, type: rest, help: help[1], samples: [] }
      families.set(name, current)
    } else {
      const sample = sampleOf(line)
      const isOurs = SUFFIXES[current?.type ?? '']?.some((suffix) => sample.name === `${current?.name}${suffix}`)
      const identity = line.slice(0, line.lastIndexOf(' '))
      if (!isOurs || seen.has(identity)) throw new Error(`Not of its metric, or twice: ${line}`)
      seen.add(identity)
      current?.samples.push(sample)
    }
  }
  for (const family of families.values()) if (family.type === 'histogram') assertHistogram(family)
  return families
}

/** The sum of the samples with this name and these labels. */
export function sumOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
  if (!family) throw new Error(`There is no metric ${name}.`)
  return family.samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0)
}

function sampleOf(line: string): Sample {
  const [, name = '', labels, number = ''] = SAMPLE.exec(line) ?? []
  const isNumber = /^([+-]?Inf|NaN|[+-]?\d+(\.\d+)?(e[+-]?\d+)?)$/.test(number)
  if (!isNumber || (labels !== undefined && !LABELS.test(labels))) throw new Error(`No sample: ${line}`)
  const pairs = [...(labels ?? '').matchAll(new RegExp(LABEL, 'g'))].map(([, label = '', value = '']) => [label, value])
  return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(number) }
}

// Every series counts upwards to +Inf, where it is what _count says.
function assertHistogram({ name, samples }: Family): void {
  const series = new Map<string, Sample[]>()
  for (const sample of samples) {
    const labels = Object.entries(sample.labels).filter(([label]) => label !== 'le')
    const key = JSON.stringify(labels.sort())
    series.set(key, [...(series.get(key) ?? []), sample])
  }
  for (const [key, parts] of series) {
    const buckets = parts.filter((part) => part.name === `${name}_bucket`)
    const counts = buckets.map(({ value }) => value)
    const isRising = counts.every((count, index) => count >= (counts[index - 1] ?? 0))
    const count = parts.find((part) => part.name === `${name}_count`)?.value
    const hasSum = parts.some((part) => part.name === `${name}_sum`)
    if (!isRising || !hasSum || buckets.at(-1)?.labels['le'] !== '+Inf' || counts.at(-1) !== count) {
      throw new Error(`No histogram: ${name} ${key}`)
    }
  }
}
