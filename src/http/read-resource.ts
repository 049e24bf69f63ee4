import type { Type } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { structureFaults } from '../validation/json-structure.js'
import { type Fault, isJsonObject, pointerToken } from '../validation/rule.js'
import { fieldsOf, validateDto } from '../validation/validate-dto.js'

/** What proxies and clients take as one header; more names than fit are refused even with lenient handling. */
const MAX_IGNORED_FIELDS_LENGTH = 4_096

export interface ResourceBodyOptions {
  /** Accepted, without any effect. */
  readonly readOnlyFields?: readonly string[]
  /** The faults of fields that do not go together, as far as the body shows them. */
  readonly combined?: (dto: object, isFaulty: (field: string) => boolean) => readonly Fault[]
}

export interface ReadResource<T extends object> {
  readonly dto: T
  /** Of the fields that the resource has, all at once. */
  readonly faults: readonly Fault[]
  /** The fields that it does not have. */
  readonly unknown: readonly string[]
}

/** Reads a document against a DTO class: read-only fields are passed over without a word. */
export function readResource<T extends object>(
  document: unknown,
  dtoClass: Type<T>,
  options: ResourceBodyOptions,
): ReadResource<T> {
  if (!isJsonObject(document)) {
    return { dto: new dtoClass(), faults: [{ pointer: '', detail: 'must be a JSON object' }], unknown: [] }
  }
  const structural = structureFaults(document)
  // A field whose text cannot be stored is not worth a second fault about its length.
  const unstorable = fieldsWith(structural)
  const { dto, faults } = validateDto(dtoClass, without(unstorable, document))
  const single = [...structural, ...faults.filter((found) => !unstorable.has(fieldOf(found)))]
  const faulty = fieldsWith(single)
  return {
    dto,
    faults: [...single, ...(options.combined?.(dto, (field) => faulty.has(field)) ?? [])],
    unknown: unknownFields(document, dtoClass, options.readOnlyFields ?? []),
  }
}

/** The fault of an unknown field, which would not be kept. */
export function unknownFault(field: string): Fault {
  return { pointer: `/${pointerToken(field)}`, detail: 'is not a field of this resource' }
}

/** Whether the names of ignored fields can be told in a header. */
export function canBeAnnounced(ignored: readonly string[]): boolean {
  return ignored.every((field) => field.isWellFormed()) && ignoredFields(ignored).length <= MAX_IGNORED_FIELDS_LENGTH
}

/** Tells that handling was lenient, and which fields were ignored. */
export function announceIgnored(reply: FastifyReply, ignored: readonly string[]): void {
  reply.header('preference-applied', 'handling=lenient')
  if (ignored.length > 0) reply.header('x-ignored-fields', ignoredFields(ignored))
}

function unknownFields(document: object, dtoClass: Type, readOnlyFields: readonly string[]): string[] {
  const known = fieldsOf(dtoClass)
  return Object.keys(document).filter((key) => !known.has(key) && !readOnlyFields.includes(key))
}

function without(fields: ReadonlySet<string>, document: Record<string, unknown>): Record<string, unknown> {
  if (fields.size === 0) return document
  return Object.fromEntries(Object.entries(document).filter(([key]) => !fields.has(key)))
}

function fieldsWith(faults: readonly Fault[]): ReadonlySet<string> {
  return new Set(faults.map(fieldOf))
}

/** The field of the document that a fault lies in. */
function fieldOf(found: Fault): string {
  return (found.pointer.split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~')
}

function ignoredFields(ignored: readonly string[]): string {
  return ignored.map((field) => encodeURIComponent(field)).join(', ')
}
