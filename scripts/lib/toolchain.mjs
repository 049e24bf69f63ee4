import { spawnSync } from 'node:child_process'
import { Failure } from './failure.mjs'

/**
 * What node-gyp needs to compile better-sqlite3. Each entry lists the commands that will do, the one that a person chose
 * in the environment first, as node-gyp and make read it.
 */
const TOOLS = [
  { need: 'make', commands: () => [process.env.MAKE, 'make'] },
  { need: 'a C compiler', variable: 'CC', commands: () => [process.env.CC, 'cc', 'gcc', 'clang'] },
  { need: 'a C++ compiler', variable: 'CXX', commands: () => [process.env.CXX, 'c++', 'g++', 'clang++'] },
  {
    need: 'Python 3',
    commands: () => [
      process.env.NODE_GYP_FORCE_PYTHON,
      process.env.npm_config_python,
      process.env.PYTHON,
      'python3',
      'python',
    ],
  },
]

const ADVICE = `  Debian, Ubuntu:  apt-get install make g++ python3
  Fedora:          dnf install make gcc-c++ python3
  macOS:           xcode-select --install`

/**
 * Looks for the tools that compile better-sqlite3.
 * @returns {NodeJS.ProcessEnv} which compilers make shall use: its own choice may be one that is not there
 * @throws {Failure} that names every tool that is missing and says how to get it
 */
export function findToolchain() {
  // Windows' compiler is found by node-gyp, in places that are not in PATH.
  if (process.platform === 'win32') return {}
  const found = TOOLS.map((tool) => ({ ...tool, command: tool.commands().find(works) }))
  const missing = found.filter((tool) => !tool.command).map((tool) => tool.need)
  if (missing.length > 0) {
    throw new Failure(
      `${inWords(missing)} could not be found. better-sqlite3 is compiled here, from its source.\n` +
        `${ADVICE}\nThen run the same command again.`,
    )
  }
  return Object.fromEntries(found.flatMap(({ variable, command }) => (variable ? [[variable, command]] : [])))
}

/** A compiler may be a command line of its own, such as `ccache g++`: it is the shell's to take apart. */
function works(command) {
  if (!command) return false
  return spawnSync(`${command} --version`, { shell: true, stdio: 'ignore' }).status === 0
}

function inWords(names) {
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
