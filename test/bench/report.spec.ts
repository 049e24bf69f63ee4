import { describe, expect, it } from '@jest/globals'
import { compare } from '../../bench/lib/comparison.mjs'
import { type Measurement, summarize } from '../../bench/lib/figures.mjs'
import { plot } from '../../bench/lib/plot.mjs'
import { tableOfCells, tableOfComparison } from '../../bench/lib/table.mjs'

function aMeasurement(overrides: Partial<Measurement> = {}): Measurement {
  return {
    ...{ service: 'sqlite', workers: 1, personas: 10_000, route: 'put', start: 1 },
    ...{ perSecond: 1_000, p50: 5, p99: 20, max: 30, cpuMicros: 400 },
    ...overrides,
  }
}

/** Starts of one service, each with its rate of the constant route and what `put` is of that. */
function startsWith(shares: readonly number[], limits = shares.map(() => 10_000), service = 'sqlite'): Measurement[] {
  return shares.flatMap((share, index) => {
    const [start, limit] = [index + 1, limits[index] ?? NaN]
    return [
      aMeasurement({ service, start, route: 'constant', perSecond: limit }),
      aMeasurement({ service, start, perSecond: limit * share }),
    ]
  })
}

describe('the figures of a run', () => {
  it('has medians of the starts, ratios within each, and the longest of all', () => {
    const speeds = [1_000, 4_000, 2_000]
    const measurements = startsWith([0.5, 0.4, 0.3], speeds).map((each, index) => ({ ...each, max: 30 + index }))

    const [constant, put] = summarize(measurements)

    expect(constant).toMatchObject({ route: 'constant', perSecond: 2_000, ratio: 1, rates: speeds })
    expect(put).toMatchObject({ route: 'put', perSecond: 600, ratio: 0.4, ratios: [0.5, 0.4, 0.3], p99: 20, max: 35 })
  })

  it('keeps services, workers and populations apart', () => {
    const others = [{ service: 'bare' }, { workers: 2 }, { personas: 1_000_000 }]
    const measurements = [{}, ...others].flatMap((other, index) => [
      aMeasurement({ ...other, route: 'constant', perSecond: 10_000 * (index + 1) }),
      aMeasurement(other),
    ])

    const ratios = summarize(measurements).flatMap(({ route, ratio }) => (route === 'put' ? [ratio] : []))

    expect(ratios).toEqual([1_000 / 10_000, 1_000 / 20_000, 1_000 / 30_000, 1_000 / 40_000])
  })
})

describe('the table', () => {
  it('has the services beside each other, and the processor time of a database server', () => {
    const cells = summarize([
      ...startsWith([0.25], [20_000], 'postgresql').map((each) => ({ ...each, databaseCpuMicros: 150 })),
      ...startsWith([0.5], [20_000]),
    ])

    const rows = tableOfCells(cells).split('\n').slice(2)

    expect(rows.map((row) => row.split(' | ').slice(1, 3).join())).toEqual([
      'constant bytes,SQLite',
      'constant bytes,PostgreSQL',
      'PUT, any key,SQLite',
      'PUT, any key,PostgreSQL',
    ])
    expect(rows[3]).toBe(
      '| 10,000 | PUT, any key | PostgreSQL | 1 | 5,000 | 0.250 | 0.250 to 0.250 | 5.0 | 20.0 | 30.0 | 400 + 150 |',
    )
  })
})

describe('the comparison of two runs', () => {
  const before = [0.5, 0.52, 0.54]

  it.each([
    ['faster', [0.55, 0.6, 0.7]],
    ['slower', [0.4, 0.45, 0.49]],
    ['within the noise', [0.53, 0.6, 0.7]],
    ['too few starts', [0.9, 0.9]],
  ])('says "%s"', (verdict, after) => {
    // Another machine, twice as fast: that is not what is compared.
    const pairs = compare(summarize(startsWith(before)), summarize(startsWith(after, [20_000, 20_000, 20_000])))
    const put = pairs.find(({ cell }) => cell.route === 'put')

    expect(put?.verdict).toBe(verdict)
  })

  it('compares the constant route by its rate, and names what only one of them has', () => {
    const second = summarize([...startsWith(before, [20_000, 21_000, 22_000]), aMeasurement({ route: 'get-hot' })])

    const pairs = compare(summarize(startsWith(before)), second)

    expect(pairs.map(({ cell, verdict }) => [cell.route, verdict])).toEqual([
      ['constant', 'faster'],
      ['put', 'within the noise'],
      ['get-hot', 'only in the second'],
    ])
    expect(tableOfComparison(pairs)).toContain(
      '| 10,000 | PUT, any key | SQLite | 1 | 5,200 → 10,920 | 0.520 → 0.520 | 20.0 → 20.0 | 1.00 | within the noise |',
    )
  })
})

describe('the plot', () => {
  it('has a dot for each cell in each of its panels, further to the right for more', () => {
    const cells = summarize([...startsWith([0.5]), ...startsWith([0.25], [10_000], 'bare')])

    const drawing = plot([...cells, ...summarize([aMeasurement({ personas: 1_000_000 })])])

    const dots = [...drawing.matchAll(/<circle class="(\w+)" cx="([\d.]+)".*<title>.*: (.*)<\/title>/g)]
    expect(dots).toHaveLength(cells.length * 2)
    const rates = dots.filter(([, , , figure]) => figure?.includes(','))
    const places = new Map(rates.map(([, , x, figure]) => [figure, Number(x)]))
    expect(places.get('10,000')).toBeGreaterThan(places.get('5,000') ?? NaN)
    expect(places.get('5,000')).toBeGreaterThan(places.get('2,500') ?? NaN)
    expect(drawing).toContain('prefers-color-scheme: dark')
  })
})
