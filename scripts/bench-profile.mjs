import './lib/node-version.mjs'
import { enter } from './lib/enter.mjs'
import { main } from './lib/failure.mjs'
import { prepare } from './lib/prepare.mjs'

await main(prepare)
if (!process.exitCode) await enter('bench', 'profile.mjs')
