/**
 * Refuses a Node.js that is too old. Every script imports this first, and nothing here or in a script's other imports
 * needs a newer Node.js than 16 to be loaded: whoever has the wrong one reads this message, not a syntax error.
 */
const OLDEST = [20, 19]

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(
    `gator: Node.js ${OLDEST.join('.')} or newer is needed; this is ${process.versions.node} (${process.execPath}).\n` +
      'A current one comes from https://nodejs.org or a version manager (nvm install 22, fnm install 22).',
  )
  process.exit(1)
}
