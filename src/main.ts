import { keepHeapSmall } from './cluster/heap.js'

// Before anything else is loaded, which importing it above would do.
keepHeapSmall()
await import('./start.js')
