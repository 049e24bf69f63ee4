import type { Cell } from './figures.mjs'

export interface Pair {
  readonly cell: Cell
  readonly first?: Cell | undefined
  readonly second?: Cell | undefined
  readonly change: number
  readonly verdict: string
}

export function compare(first: readonly Cell[], second: readonly Cell[]): Pair[]
