/** The value below which a share `q` (0 to 1) of the sorted numbers lies. */
export function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN
}

/** The median of a few numbers. */
export function median(values) {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  )
}

/** p50, p99, p99.9 and the greatest of waiting times, in milliseconds. */
export function latencies(values) {
  const sorted = Float64Array.from(values).sort()
  return {
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    max: sorted.at(-1) ?? NaN,
  }
}

/** How many times as much the most served process got as the least served one. */
export function spread(shares) {
  return Math.max(...shares) / Math.min(...shares)
}
