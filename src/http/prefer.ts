/** Whether a `Prefer` header (RFC 7240) asks for lenient handling. The first value of a preference counts. */
export function prefersLenientHandling(header: string | string[] | undefined): boolean {
  const preferences = [header ?? []].flat().join(',').split(',')
  const handling = preferences
    .map((preference) =>
      preference
        .split(';')[0]
        ?.trim()
        .toLowerCase()
        .split('=')
        .map((part) => part.trim())
        .join('=')
        .replace(/^([^=]*)="?/, '$1=')
        .replace(/"$/, ''),
    )
    .find((preference) => preference?.startsWith('handling='))
  return handling === 'handling=lenient'
}
