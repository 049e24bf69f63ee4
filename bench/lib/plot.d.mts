import type { Cell } from './figures.mjs'

export function plot(cells: readonly Cell[]): string
