import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

/** A table in Markdown, under a title. */
export function section(title, head, rows) {
  return [`### ${title}`, '', tableOf(head, rows)].join('\n')
}

/** A table in Markdown. */
export function tableOf(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** What the figures of a page come from. */
export function describeMachine(runs) {
  const [cpu] = cpus()
  return `${cpus().length} cores (${cpu.model.trim()}), Node ${process.versions.node}; medians of ${runs} runs.`
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` in a page of the project, and formats the page. */
export async function writeInto(path, name, text) {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url))
  const page = readFileSync(file, 'utf8')
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const before = page.slice(0, page.indexOf(start) + start.length)
  const { format, resolveConfig } = await import('prettier')
  const written = `${before}\n\n${text}\n${page.slice(page.indexOf(end))}`
  writeFileSync(file, await format(written, { ...(await resolveConfig(file)), filepath: file }))
}

export function round(value) {
  return Math.round(value).toLocaleString('en')
}

export function fixed(value, digits = 1) {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}
