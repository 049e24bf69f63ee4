import './lib/node-version.mjs'
import { main } from './lib/failure.mjs'
import { jest } from './lib/jest.mjs'
import { prepare } from './lib/prepare.mjs'

await main(async () => {
  await prepare()
  process.exitCode = await jest(process.argv.slice(2))
})
