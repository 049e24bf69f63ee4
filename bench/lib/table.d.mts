import type { Pair } from './comparison.mjs'
import type { Cell } from './figures.mjs'

export function tableOfCells(cells: readonly Cell[]): string
export function tableOfComparison(pairs: readonly Pair[]): string
