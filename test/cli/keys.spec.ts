import { afterAll, describe, expect, it, jest } from '@jest/globals'
import { createProgram } from '../../src/cli/program.js'
import { Sandbox } from '../processes/sandbox.js'
import { gator } from '../support/gator.js'

// test/processes/access.spec.ts makes, lists and revokes keys of a running server on both databases: here is what people see.
describe('gator keys', () => {
  const sandbox = new Sandbox()
  afterAll(() => sandbox.clear())

  it('shows a new key once, lists it without its secret, revokes it and removes it', async () => {
    const folder = sandbox.folder()
    const keys = (...words: string[]) => gator(['keys', ...words], { folder })
    const made = await keys('create', '--name', 'Zoë’s studio', '--scope', 'admin', '--scope', 'personas:read')
    expect({ code: made.code, stderr: made.stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('it is not shown again'),
    })
    const [, id = '', secret = ''] = /^gator_([0-9a-z]{8})_([0-9A-Za-z]{49})\n$/.exec(made.stdout) ?? []
    const listed = await keys('list')
    expect(listed.stdout).toBe(`${id}  good     admin,personas:read  last used never  Zoë’s studio\n`)
    expect(listed.stdout).not.toContain(secret)
    const revoked = await keys('revoke', id)
    expect([revoked.code, revoked.stdout]).toEqual([0, expect.stringContaining('is revoked')])
    const removed = await keys('remove-ended')
    expect(removed.stdout).toBe('Removed 1, 0 are left. No key is left: a server on loopback serves without one.\n')
    const unknown = await keys('revoke', id)
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining(`There is no key ${id}`)])
  })

  it.each([
    [['--name', 'x'], /required option '--scope/],
    [['--name', 'x', '--scope', 'everything'], /Allowed choices are personas:read/],
    [['--name', 'a\nb', '--scope', 'admin'], /--name must have/],
    [['--name', 'x', '--scope', 'admin', '--expires', '2020-01-01'], /--expires must be a time to come/],
  ])('is not called wrongly: create %j', async (words, message) => {
    const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true)
    const call = createProgram().parseAsync(['node', 'gator', 'keys', 'create', ...words])
    await expect(call.finally(() => stderr.mockRestore())).rejects.toThrow(message)
  })
})
