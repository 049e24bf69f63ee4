/** How many keys are hot, and so in any cache. */
export const HOT_KEYS = 100

/** A prime, so that neighbours in popularity are no neighbours in the table. */
const STRIDE = 7_919

/**
 * Draws numbers of personas.
 * @param {number} count how many there are
 */
export function keysOf(count) {
  const scattered = (rank) => (rank * STRIDE) % count
  const hot = Math.min(HOT_KEYS, count)
  const drawHot = zipf(hot)
  const drawAny = zipf(count)
  return {
    /** Each as likely as any other. */
    uniform: () => Math.floor(Math.random() * count),
    /** One of the hot ones, by Zipf's law. */
    hot: () => scattered(drawHot()),
    /** Any of them, by Zipf's law. */
    skewed: () => scattered(drawAny()),
    /** The hot ones. */
    allHot: Array.from({ length: hot }, (_value, rank) => scattered(rank)),
  }
}

/** Zipf's law with exponent 1: rank r (from 0) is drawn in proportion to 1 / (r + 1). */
export function zipf(count, random = Math.random) {
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) cumulative[rank] = sum += 1 / (rank + 1)
  return () => {
    const drawn = random() * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (cumulative[middle] <= drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}
