import './lib/node-version.mjs'
import { main } from './lib/failure.mjs'
import { bringUpToDate } from './lib/steps.mjs'
import { generate } from './steps/generate.mjs'

await main(() => bringUpToDate([generate]))
