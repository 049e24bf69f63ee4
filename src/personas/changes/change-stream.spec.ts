import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { type Chunk, chunksOf } from './change-chunks.js'
import type { ChangePage } from './change-source.js'
import { changeIdOf } from './change-id.js'
import { ChangeStream, type Tail } from './change-stream.js'
import { RecentChunks } from './recent-chunks.js'
import { MAX_BEHIND, type Change, type Extent, type Position } from './change.js'

/** With what stands around it, larger than a chunk need be: each is one of its own. */
const NAME_BYTES = 20_000
/** What a stream may hold for its client: what the stream itself buffers, and one chunk more. */
const MOST_BYTES = 65_536 + NAME_BYTES + 1_000

function aChange(seq: number): Change {
  const name = 'x'.repeat(NAME_BYTES)
  const who = { actor: name, requestId: null, worker: null }
  const what = { kind: 'erased', changed: [], version: 1, persona: null } as const
  return { ...who, ...what, seq, personaId: 'p', at: new Date(seq) }
}

/** Where a stream is after {@link aChange}. */
const positionOf = (seq: number): Position => ({ epoch: '0', seq, at: seq })

/** A tail whose sequence a test makes longer. */
class ScriptedTail implements Tail {
  readonly resets: string[] = []
  readonly observer = {
    onListeners: () => undefined,
    onEvents: () => undefined,
    onReset: (reason: string) => void this.resets.push(reason),
  }
  position = positionOf(0)
  floor = 0
  reads = 0
  /** What it keeps of what it has handed on: nothing, unless a test says how much. */
  kept: RecentChunks | undefined
  /** Called before a page is answered. */
  meanwhile: () => void = () => undefined

  pageOf(after: number, upTo: number, limit: number): ChangePage {
    const count = Math.max(0, Math.min(limit, upTo - after))
    const changes = Array.from({ length: count }, (_value, n) => aChange(after + n + 1))
    const { seq } = this.position
    const extent: Extent = { epoch: '0', floor: this.floor, last: seq, settled: seq }
    return { changes, extent, next: after + count, isLast: count < limit, bytes: 0 }
  }

  recent(seq: number): readonly Chunk[] | null {
    return this.kept?.after(seq) ?? null
  }

  async reasonToReset(): Promise<undefined> {
    await Promise.resolve()
  }

  async read(after: number, limit: number) {
    this.reads += 1
    const page = this.pageOf(after, this.position.seq, limit)
    await Promise.resolve()
    this.meanwhile()
    return { page, chunks: chunksOf(page) }
  }

  /** Goes on by so many changes, and hands them to a stream. */
  advance(count: number, stream: ChangeStream): void {
    const { seq } = this.position
    this.position = positionOf(seq + count)
    const chunks = chunksOf(this.pageOf(seq, seq + count, count))
    this.kept?.add(chunks)
    stream.deliver(chunks)
  }
}

function aStream(tail: Tail): ChangeStream {
  return new ChangeStream(tail, new PassThrough(), () => undefined)
}

const seqsIn = (answer: string) =>
  [...answer.matchAll(/^id: 0-(\d+)-\w+\nevent: erased$/gm)].map(([, seq]) => Number(seq))
const upTo = (count: number, from = 1) => Array.from({ length: count }, (_value, n) => n + from)

describe('ChangeStream', () => {
  it('keeps no more than it may for a client that does not read, who then gets everything', async () => {
    const tail = new ScriptedTail()
    const stream = aStream(tail)
    stream.begin(undefined)
    for (let n = 0; n < 500; n++) {
      tail.advance(1, stream)
      expect(stream.readableLength).toBeLessThanOrEqual(MOST_BYTES)
      await Promise.resolve()
    }
    expect([stream.readableLength > 0, tail.reads]).toEqual([true, 0])
    const answer = text(stream)
    // It reads on while more comes: the change that it lacks, and the one that is made in that moment.
    let made = 0
    tail.meanwhile = () => {
      if (made++ < 20) tail.advance(1, stream)
    }
    while (made < 40) await new Promise(setImmediate)
    tail.advance(3, stream)
    await new Promise(setImmediate)
    stream.end()
    expect(seqsIn(await answer)).toEqual(upTo(523))
    expect(tail.resets).toEqual([])
  })

  it.each([
    ['nothing, as long as the tail has it', 40, { fewest: 0, most: 0 }],
    // 70 of them, four at a time.
    ['what the tail has let go of, and no more', 120, { fewest: 15, most: 20 }],
  ])('who had no room for a moment reads %s', async (_what, count, { fewest, most }) => {
    const tail = new ScriptedTail()
    tail.kept = new RecentChunks(50 * (NAME_BYTES + 1_000), 0)
    const stream = aStream(tail)
    stream.begin(undefined)
    tail.advance(count, stream)
    expect(stream.readableLength).toBeLessThanOrEqual(MOST_BYTES)
    const answer = text(stream)
    while (stream.readableLength > 0) await new Promise(setImmediate)
    tail.advance(3, stream)
    await new Promise(setImmediate)
    stream.end()
    expect(seqsIn(await answer)).toEqual(upTo(count + 3))
    expect(tail.reads).toBeGreaterThanOrEqual(fewest)
    expect(tail.reads).toBeLessThanOrEqual(most)
  })

  it('takes up who is ahead of the tail, as another worker may be, when the tail has come so far', async () => {
    const tail = new ScriptedTail()
    tail.position = positionOf(7)
    const stream = aStream(tail)
    stream.begin(changeIdOf(positionOf(9)))
    const answer = text(stream)
    for (let n = 0; n < 6; n++) {
      await new Promise(setImmediate)
      tail.advance(1, stream)
    }
    await new Promise(setImmediate)
    stream.end()
    expect(seqsIn(await answer)).toEqual(upTo(4, 10))
    // It was told all of it, in its turn: nothing was read for it alone.
    expect(tail.reads).toBe(0)
  })

  it('misses no call of the tail, in whichever turn it finds that there is nothing to read', async () => {
    for (const turns of upTo(12, 0)) {
      const tail = new ScriptedTail()
      tail.position = positionOf(7)
      const stream = aStream(tail)
      stream.begin(changeIdOf(positionOf(9)))
      const answer = text(stream)
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      // The only call: nothing that comes later makes up for it.
      tail.advance(5, stream)
      await new Promise(setImmediate)
      stream.end()
      expect([turns, seqsIn(await answer)]).toEqual([turns, upTo(3, 10)])
    }
  })

  it.each([
    ['too-far-behind', (tail: ScriptedTail) => (tail.position = positionOf(MAX_BEHIND + 1_000))],
    ['not-kept', (tail: ScriptedTail) => (tail.floor = tail.position.seq)],
  ])('tells who has not read for long that it is %s', async (reason, happen) => {
    const tail = new ScriptedTail()
    const stream = aStream(tail)
    stream.begin(undefined)
    for (let n = 0; n < 20; n++) tail.advance(1, stream)
    happen(tail)
    const answer = text(stream)
    while (tail.resets.length === 0) await new Promise(setImmediate)
    const id = changeIdOf(tail.position)
    tail.advance(1, stream)
    await new Promise(setImmediate)
    stream.end()
    expect(tail.resets).toEqual([reason])
    expect(await answer).toContain(
      `id: ${id}\nevent: reset\ndata: {"id":"${id}","reason":"${reason}"}\n\nid: ${changeIdOf(tail.position)}\n`,
    )
  })

  it('is cut off when it ends and its client does not read, and ends in order when it does', async () => {
    const tail = new ScriptedTail()
    const [stuck, read] = [aStream(tail), aStream(tail)]
    for (const stream of [stuck, read]) stream.begin(undefined)
    const answer = text(read)
    await new Promise(setImmediate)
    stuck.end()
    read.end()
    await once(stuck, 'close')
    expect([stuck.readableEnded, await answer]).toEqual([false, 'retry: 1000\nid: 0-0-0\n\n'])
  })
})
