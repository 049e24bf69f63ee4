export class Ledger {
  record(index: number, image: string, body: Buffer): void
  sample(count: number): number[]
  agrees(index: number, body: Buffer): boolean
}
