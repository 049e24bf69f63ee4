/** Makes one observer of several: each call goes to all that want it, and a call that nobody wants is none of its own. */
export function together<T extends object>(...observers: readonly T[]): T {
  const names = new Set(observers.flatMap((observer) => Object.keys(observer)))
  const calls = [...names].map((name): [string, unknown] => {
    const wanted = observers
      .map((observer) => Reflect.get(observer, name) as unknown)
      .filter((call): call is (event: unknown) => void => typeof call === 'function')
    const [only] = wanted
    if (wanted.length === 1) return [name, only]
    return [name, (event: unknown) => wanted.forEach((call) => call(event))]
  })
  return Object.fromEntries(calls) as T
}
