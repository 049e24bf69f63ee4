import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { chunksOf } from './change-chunks.js'
import type { ChangePage } from './change-source.js'
import { ChangeStream, type Tail } from './change-stream.js'
import { MAX_BEHIND, type Change, type Extent } from './change.js'

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

/** A tail whose sequence a test makes longer. */
class ScriptedTail implements Tail {
  readonly resets: string[] = []
  readonly observer = {
    onListeners: () => undefined,
    onEvents: () => undefined,
    onReset: (reason: string) => void this.resets.push(reason),
  }
  position = { epoch: '0', seq: 0 }
  floor = 0
  reads = 0
  /** Called before a page is answered. */
  meanwhile: () => void = () => undefined

  pageOf(after: number, upTo: number, limit: number): ChangePage {
    const count = Math.max(0, Math.min(limit, upTo - after))
    const changes = Array.from({ length: count }, (_value, n) => aChange(after + n + 1))
    const { seq } = this.position
    const extent: Extent = { epoch: '0', floor: this.floor, last: seq, settled: seq }
    return { changes, extent, next: after + count, isLast: count < limit, bytes: 0 }
  }

  async read(after: number, limit: number) {
    this.reads += 1
    const upTo = this.position.seq
    const page = this.pageOf(after, upTo, limit)
    await Promise.resolve()
    this.meanwhile()
    return { page, chunks: chunksOf(page), upTo }
  }

  /** Goes on by so many changes, and hands them to a stream. */
  advance(count: number, stream: ChangeStream): void {
    const { epoch, seq } = this.position
    this.position = { epoch, seq: seq + count }
    stream.deliver(chunksOf(this.pageOf(seq, seq + count, count)))
  }
}

function aStream(tail: Tail): ChangeStream {
  return new ChangeStream(tail, new PassThrough(), () => undefined)
}

const seqsIn = (answer: string) => [...answer.matchAll(/^id: 0-(\d+)\nevent: erased$/gm)].map(([, seq]) => Number(seq))
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

  it('takes up who is ahead of the tail, as another worker may be, when the tail has come so far', async () => {
    const tail = new ScriptedTail()
    tail.position = { epoch: '0', seq: 7 }
    const { read } = tail
    // The database is further than the tail.
    tail.read = async (after, limit) => {
      const answer = await read.call(tail, after, limit)
      return { ...answer, page: { ...answer.page, extent: { ...answer.page.extent, last: 20 } } }
    }
    const stream = aStream(tail)
    stream.begin('0-9')
    const answer = text(stream)
    for (let n = 0; n < 6; n++) {
      await new Promise(setImmediate)
      tail.advance(1, stream)
    }
    await new Promise(setImmediate)
    stream.end()
    expect(seqsIn(await answer)).toEqual(upTo(4, 10))
  })

  it.each([
    ['too-far-behind', (tail: ScriptedTail) => (tail.position = { epoch: '0', seq: MAX_BEHIND + 1_000 })],
    ['not-kept', (tail: ScriptedTail) => (tail.floor = tail.position.seq)],
  ])('tells who has not read for long that it is %s', async (reason, happen) => {
    const tail = new ScriptedTail()
    const stream = aStream(tail)
    stream.begin(undefined)
    for (let n = 0; n < 20; n++) tail.advance(1, stream)
    happen(tail)
    const answer = text(stream)
    while (tail.resets.length === 0) await new Promise(setImmediate)
    const { seq } = tail.position
    tail.advance(1, stream)
    await new Promise(setImmediate)
    stream.end()
    expect(tail.resets).toEqual([reason])
    expect(await answer).toContain(
      `id: 0-${seq}\nevent: reset\ndata: {"id":"0-${seq}","reason":"${reason}"}\n\nid: 0-${seq + 1}\n`,
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
    expect([stuck.readableEnded, await answer]).toEqual([false, 'retry: 1000\nid: 0-0\n\n'])
  })
})
