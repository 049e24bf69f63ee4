import { describe, expect, it } from '@jest/globals'
import type { Logger } from 'pino'
import { parseSettings } from '../config/settings.js'
import { OperationalLog } from './operational-log.js'

interface Line {
  readonly level: string
  readonly fields: Record<string, unknown>
  readonly message: string
}

function logOf(environment: Record<string, string> = {}) {
  const lines: Line[] = []
  const write = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void lines.push({ level, fields, message })
  const logger = { info: write('info'), warn: write('warn'), error: write('error') } as unknown as Logger
  return { lines, log: new OperationalLog(parseSettings(environment, false), logger, () => 4) }
}

const SLOW = 'busy_timeout: a statement was slow'
const statement = (durationMs: number) => ({ sql: 'SELECT ?', role: 'reader' as const, durationMs })

describe('OperationalLog', () => {
  it('tells of a wait that was longer than the setting, with who was waited for', () => {
    const { lines, log } = logOf({ LOG_SLOW_WRITE_WAIT_MS: '200', DATABASE_BUSY_TIMEOUT_MS: '5000' })
    const heldBy = { worker: 2, heldMs: 240.4 }
    log.sqlite().onLockAcquired?.({ kind: 'write', waitedMs: 200, lockMs: 0 })
    log.sqlite().onLockAcquired?.({ kind: 'write', waitedMs: 250.3, lockMs: 1.2, heldBy })
    log.postgresql().onTurn?.({ waitedMs: 300 })
    const figures = { busyTimeoutMs: 5_000, queueDepth: 4, slowWriteWaitMs: 200 }
    const message = 'busy_timeout: a write waited long'
    expect(lines).toEqual([
      { level: 'warn', message, fields: { ...figures, waitedMs: 250, lockMs: 1, heldBy: { worker: 2, heldMs: 240 } } },
      { level: 'warn', message, fields: { ...figures, waitedMs: 300, lockMs: 0 } },
    ])
  })

  it.each(['sqlite', 'postgresql'] as const)('tells of a refusal in one line: %s', (provider) => {
    const { lines, log } = logOf()
    log[provider]().onRefused?.({ reason: 'lock-timeout', waitedMs: 30_000.4, lockMs: 12.6 })
    const figures = { waitedMs: 30_000, lockMs: 13, busyTimeoutMs: 30_000, queueDepth: 4, writeQueueLimit: 1_024 }
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'busy_timeout: a write was refused, nothing was written',
        fields: { reason: 'lock-timeout', ...figures },
      },
    ])
  })

  it('tells of a slow statement, with its text', () => {
    const { lines, log } = logOf({ LOG_SLOW_STATEMENT_MS: '20' })
    log.sqlite().onStatement?.(statement(20))
    log.postgresql().onStatement?.(statement(20.0004))
    const fields = { role: 'reader', durationMs: 20, slowStatementMs: 20, sql: 'SELECT ?' }
    expect(lines).toEqual([{ level: 'warn', message: SLOW, fields }])
  })

  it('is silent about what the settings switch off, and does not time it either', () => {
    const { lines, log } = logOf({ LOG_SLOW_STATEMENT_MS: '0', LOG_SLOW_WRITE_WAIT_MS: '0' })
    expect(log.sqlite()).not.toHaveProperty('onStatement')
    log.sqlite().onLockAcquired?.({ kind: 'write', waitedMs: 60_000, lockMs: 0 })
    expect(lines).toEqual([])
  })

  it('tells of every statement with LOG_SQL, and of a slow one twice', () => {
    const { lines, log } = logOf({ LOG_SQL: 'true' })
    log.sqlite().onStatement?.(statement(1))
    log.sqlite().onStatement?.(statement(501))
    expect(lines.map(({ message }) => message)).toEqual(['SQL SELECT ?', 'SQL SELECT ?', SLOW])
  })
})
