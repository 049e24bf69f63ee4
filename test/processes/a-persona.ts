/** The body of a create request that is valid; `fields` replace or add to it. */
export function aPersona(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    name: 'Tech Innovator Sarah',
    appearance: 'A woman in her thirties with short dark hair and round glasses',
    personality: 'Curious, precise and always ready to explain how things work',
    ...fields,
  }
}
