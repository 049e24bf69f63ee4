import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inProject } from './paths.mjs'

/**
 * One hash over everything that decides a step's result.
 * @param {...string} parts
 * @returns {string} 64 hexadecimal digits
 */
export function fingerprint(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:${part}`)
  return hash.digest('hex')
}

/**
 * A file's content. A missing file counts as empty: the step that needs it says so better than a hash could.
 * @param {...string} path inside the project
 * @returns {string}
 */
export function contentOf(...path) {
  try {
    return readFileSync(inProject(...path), 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return ''
    throw error
  }
}

/**
 * All files below a folder, sorted, relative to it; an empty list if there is no such folder.
 * @param {string} folder absolute
 * @param {(relativePath: string) => boolean} [isWanted] also asked for folders: refusing one leaves out all below it
 * @returns {string[]}
 */
export function filesBelow(folder, isWanted = () => true) {
  const found = []
  const visit = (below) => {
    for (const entry of readFolder(join(folder, below))) {
      const path = join(below, entry.name)
      if (!isWanted(path)) continue
      if (entry.isDirectory()) visit(path)
      else found.push(path)
    }
  }
  visit('')
  return found.sort()
}

function readFolder(path) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}
