import { STATUS_CODES } from 'node:http'
import type { Fault } from '../validation/rule.js'

/** A problem document (RFC 9457). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance?: string
  readonly errors?: readonly Fault[]
  /** Which operation of a batch is at fault, from 0. */
  readonly index?: number
  /** For a key that is not for this: which scope it would need. */
  readonly missing_scope?: string
  /** For a stale edit: the ETag to read and edit again from. */
  readonly current_etag?: string
  /** For a stale edit: each field that it changes and that was changed since, with the values. */
  readonly conflicts?: readonly Conflict[]
}

export interface Conflict {
  readonly pointer: string
  readonly base: unknown
  readonly current: unknown
  readonly requested?: unknown
}

/** A problem with the headers that go with it. */
export interface ProblemAnswer {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8'
const TYPE_PREFIX = 'urn:gator-personas:problem:'

/** A problem of a type of ours, such as `stale-version`. */
export function problemOf(type: string, title: string, status: number, detail: string): Problem {
  return { type: TYPE_PREFIX + type, title, status, detail }
}

/** A problem that says no more than its status code does. */
export function plainProblem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail }
}
