import { registerDecorator } from 'class-validator'
import type { Rule } from './rule.js'

/**
 * Holds a property against a {@link Rule}. class-validator knows one message a property; a rule tells each fault with a
 * pointer into the value, so the rule travels in the error's context and is asked again for the problem document.
 */
export function Satisfies(rule: Rule): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: 'satisfies',
      target: target.constructor,
      propertyName: String(property),
      options: { context: { rule } },
      validator: {
        validate: (value: unknown) => rule(value).length === 0,
        defaultMessage: () => `${String(property)} breaks its rule`,
      },
    })
  }
}
