// Imported before all else, as main.ts does it.
import { keepHeapSmall } from '../../dist/cluster/heap.js'

keepHeapSmall()
