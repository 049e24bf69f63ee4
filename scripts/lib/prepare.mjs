import { build } from '../steps/build.mjs'
import { bundle } from '../steps/bundle.mjs'
import { compile } from '../steps/compile.mjs'
import { generate } from '../steps/generate.mjs'
import { install } from '../steps/install.mjs'
import { bringUpToDate } from './steps.mjs'

/** Installs, compiles, generates and builds whatever is missing or out of date. */
export const prepare = () => bringUpToDate([install, compile, generate, build, bundle])
