import { jest } from '@jest/globals'

// Node's require() takes an ES module since 20.19; Jest's does not below Node 24.9. @fastify/static and Fastify's
// inject() require these two: they get the modules that are imported here.
const contentDisposition = await import('content-disposition')
const cookie = await import('cookie')
jest.mock('content-disposition', () => contentDisposition)
jest.mock('cookie', () => cookie)
