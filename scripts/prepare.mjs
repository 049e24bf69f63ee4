import './lib/node-version.mjs'
import { main } from './lib/failure.mjs'
import { prepare } from './lib/prepare.mjs'

await main(prepare)
