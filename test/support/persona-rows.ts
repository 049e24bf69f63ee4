import type { PersonaCreateInput } from '../../src/generated/sqlite/models.js'

/** The least that a row of `personas` needs, with what a test cares about put over it. */
export function aPersonaRow(overrides: Partial<PersonaCreateInput> = {}): PersonaCreateInput {
  const now = new Date('2026-01-02T03:04:05.678Z')
  return {
    id: crypto.randomUUID(),
    name: 'Sarah',
    appearance: 'short silver hair',
    personality: 'curious and warm',
    createdAt: now,
    updatedAt: now,
    ...overrides,
  }
}
