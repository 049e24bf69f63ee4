import { setFlagsFromString } from 'node:v8'
import type { Worker } from 'node:worker_threads'

// What a process keeps is about 35 MB of objects, and V8 collects the old ones only when they have become four times as
// many: 310 MiB under a load of PUTs. At twice as many it is 230, and costs nothing that could be measured; at one and a
// half 206, and a twentieth of a PUT on a single core.
const OLD_GENERATION_GROWS_BY_PERCENT = 100
const YOUNG_GENERATION_GROWS_BY = 2

/**
 * To be called before a program is loaded. What is loaded stays: the larger young generation that V8 would take
 * meanwhile, 32 MB, is no use.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${OLD_GENERATION_GROWS_BY_PERCENT}`)
  // Prisma's compiler of queries is WebAssembly that runs some dozens of times in all: its optimised code takes 25 MB.
  setFlagsFromString('--liftoff-only')
  keepYoungGenerationSmall()
  process.on('worker', whenItRuns)
}

/** To be called when requests come: what lives as long as one of them costs least in a young generation that has room. */
export function giveRoomToRequests(): void {
  process.off('worker', whenItRuns)
  setFlagsFromString(`--semi-space-growth-factor=${YOUNG_GENERATION_GROWS_BY}`)
}

function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

// The flag is one for all threads, and V8 puts it back to 2 for each that begins (Heap::ConfigureHeap).
function whenItRuns(thread: Worker): void {
  thread.once('online', keepYoungGenerationSmall)
}
