import { describe, expect, it } from '@jest/globals'
import { errorForLog } from './error-for-log.js'

describe('errorForLog', () => {
  it('leaves out what a driver tells of the row', () => {
    const driver = Object.assign(new Error('violates check constraint'), { code: '23514', detail: 'row (secret)' })
    const error = Object.assign(new Error('failed', { cause: driver }), { meta: { driverAdapterError: driver } })
    const logged = errorForLog(error)
    expect(JSON.stringify(logged)).not.toMatch(/secret/)
    expect(logged).toMatchObject({ type: 'Error', message: 'failed', cause: { code: '23514' } })
  })

  it.each([['text'], [undefined], [null], [{ no: 'error' }]])('takes %j', (thrown) => {
    expect(typeof errorForLog(thrown).message).toBe('string')
  })
})
