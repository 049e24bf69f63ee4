import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parser } from '@prometheus-io/lezer-promql'
import { parse } from 'yaml'
import { packageRoot } from '../../src/package-root.js'

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[]
}

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly type: string
    readonly title: string
    readonly targets?: readonly { readonly refId: string; readonly expr: string }[]
  }[]
}

const read = (name: string) => readFileSync(join(packageRoot, 'docs', name), 'utf8')

export const readRules = () => parse(read('prometheus-alerts.yml')) as RuleFile
export const readDashboard = () => JSON.parse(read('grafana-dashboard.json')) as Dashboard
export const readOperations = () => read('operations.md')

/** What Grafana puts into an expression before Prometheus sees it. */
export function withoutVariables(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', 'x')
}

/**
 * The metrics that a PromQL expression names, each with the labels it is asked by.
 * @throws Error when it is not PromQL
 */
export function selectorsOf(expr: string): { readonly metric: string; readonly labels: readonly string[] }[] {
  const selectors: { metric: string; labels: string[] }[] = []
  parser.parse(expr).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new Error(`Not PromQL at ${from}: ${expr}`)
      if (type.name !== 'VectorSelector') return
      const metric = node.getChild('Identifier')
      const labels = [...expr.slice(from, to).matchAll(/[{,]\s*([a-z_]+)\s*(?:=|!)/g)].map(([, label = '']) => label)
      selectors.push({ metric: metric ? expr.slice(metric.from, metric.to) : '', labels })
    },
  })
  return selectors
}
