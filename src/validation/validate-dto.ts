import type { Type } from '@nestjs/common'
import { plainToInstance } from 'class-transformer'
import { getMetadataStorage, type ValidationError, validateSync } from 'class-validator'
import { at, type Fault, pointerToken, type Rule } from './rule.js'

const knownFields = new Map<Type, ReadonlySet<string>>()

/** The properties that a DTO class declares rules for: the fields that it knows. */
export function fieldsOf(dtoClass: Type): ReadonlySet<string> {
  const known = knownFields.get(dtoClass)
  if (known) return known
  const metadata = getMetadataStorage().getTargetValidationMetadatas(dtoClass, '', true, false)
  const fields = new Set(metadata.map((entry) => entry.propertyName))
  knownFields.set(dtoClass, fields)
  return fields
}

/**
 * Makes an instance of a DTO from the fields that it knows (others are not looked at) and answers it with the faults of
 * every field.
 */
export function validateDto<T extends object>(
  dtoClass: Type<T>,
  document: Readonly<Record<string, unknown>>,
): { dto: T; faults: Fault[] } {
  const fields = fieldsOf(dtoClass)
  const known = Object.entries(document).filter(([key]) => fields.has(key))
  const isDocument = ([, value]: [string, unknown]) => typeof value === 'object' && value !== null
  // Objects and arrays pass by class-transformer: it copies them, and stumbles over keys such as "constructor".
  const dto = plainToInstance(dtoClass, Object.fromEntries(known.filter((entry) => !isDocument(entry))))
  Object.assign(dto, Object.fromEntries(known.filter(isDocument)))
  const faults = validateSync(dto, { forbidUnknownValues: false }).flatMap(faultsOf)
  return { dto, faults }
}

function faultsOf(error: ValidationError): Fault[] {
  const pointer = `/${pointerToken(error.property)}`
  if (error.value === undefined) return [{ pointer, detail: 'is required' }]
  return Object.entries(error.constraints ?? {}).flatMap(([name, message]) => {
    const rule = (error.contexts?.[name] as { rule?: Rule } | undefined)?.rule
    return rule ? at(pointer, rule(error.value)) : [{ pointer, detail: withoutProperty(message, error.property) }]
  })
}

// class-validator's own messages begin with the property, which the pointer says already.
function withoutProperty(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message
}
