import type { LoggerService } from '@nestjs/common'
import { type Logger, pino, stdTimeFunctions } from 'pino'
import pretty from 'pino-pretty'
import type { Settings } from '../config/settings.js'

// What a full disk keeps from being written is kept for later up to this, and lost beyond it.
const MOST_UNWRITTEN_BYTES = 65_536

/** The process' logger. Lines for people are written synchronously, so that the last ones before an exit are there. */
export function createLogger(settings: Settings['log'], bindings: Readonly<Record<string, unknown>> = {}): Logger {
  const options = { level: settings.level, base: bindings, timestamp: stdTimeFunctions.isoTime }
  const standardOutput = pino.destination({ dest: 1, sync: true, maxLength: MOST_UNWRITTEN_BYTES })
  // A log that cannot be written, on a full disk say, must not end what it tells of.
  standardOutput.on('error', () => undefined)
  if (settings.format === 'json') return pino(options, standardOutput)
  return pino(options, pretty({ destination: standardOutput, translateTime: 'SYS:HH:MM:ss.l' }))
}

/** Nest's own messages, through pino: its start-up chatter is debug, its warnings and errors are what they are. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    this.logger.debug({ context }, String(message))
  }

  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, String(message))
  }

  error(message: unknown, ...details: unknown[]): void {
    if (message instanceof Error) this.logger.error({ err: message }, message.message)
    else this.logger.error({ details }, String(message))
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.error(message, ...details)
  }

  debug(message: unknown, context?: string): void {
    this.logger.trace({ context }, String(message))
  }

  verbose(message: unknown, context?: string): void {
    this.logger.trace({ context }, String(message))
  }
}
