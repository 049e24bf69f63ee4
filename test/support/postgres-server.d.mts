import type { PostgresOptions, RunningServer } from './postgres.js'

export function startServer(options?: PostgresOptions): Promise<RunningServer>
