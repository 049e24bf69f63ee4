/** The value below which a share (0 to 1) of the numbers lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

/** The share (0 to 1) of the numbers that are not above a limit. */
export function shareWithin(values: readonly number[], limit: number): number {
  return values.filter((value) => value <= limit).length / values.length
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Median, p99 and maximum of durations, to be printed. */
export function summary(values: readonly number[]): string {
  const text = (value: number) => `${value.toFixed(1)} ms`
  return `median ${text(median(values))}, p99 ${text(quantile(values, 0.99))}, max ${text(quantile(values, 1))} (${values.length})`
}
