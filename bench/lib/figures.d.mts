export interface Measurement {
  readonly service: string
  readonly workers: number
  readonly personas: number
  readonly route: string
  readonly start: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly cpuMicros?: number | undefined
  readonly databaseCpuMicros?: number | undefined
}

export interface Cell extends Omit<Measurement, 'start'> {
  readonly ratio: number
  readonly ratios: readonly number[]
  readonly rates: readonly number[]
}

export function summarize(measurements: readonly Measurement[]): Cell[]
