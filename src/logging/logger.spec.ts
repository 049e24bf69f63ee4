import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { packageRoot } from '../package-root.js'

const LOGGER = join(packageRoot, 'dist', 'logging', 'logger.js')

/** Where every write fails for want of room. */
const FULL = '/dev/full'
const itWithFull = existsSync(FULL) ? it : it.skip

describe('the log', () => {
  itWithFull.each(['json', 'pretty'])('on a full disk (%s) ends nobody', (format) => {
    const program = `
      import { createLogger } from ${JSON.stringify(LOGGER)}
      const logger = createLogger({ level: 'info', format: '${format}', sql: false })
      for (let line = 0; line < 2000; line++) logger.error({ line }, 'a line that is long enough to fill a buffer')
      console.error('alive')`
    const output = openSync(FULL, 'w')
    const words = ['--input-type=module', '--eval', program]
    const { status, stderr } = spawnSync(process.execPath, words, {
      stdio: ['ignore', output, 'pipe'],
      encoding: 'utf8',
    })
    closeSync(output)
    expect([status, stderr.trim()]).toEqual([0, 'alive'])
  })
})
