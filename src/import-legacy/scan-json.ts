/** What parsing a JSON text and writing it again would lose, and how deep it is nested. */
export interface JsonScan {
  /** Levels of arrays and objects: 0 for a scalar, 1 for `[]`. */
  readonly depth: number
  /** Numbers that a double does not hold as they are written. */
  readonly inexactNumbers: readonly string[]
  /** Keys that an object has more than once: parsing keeps the last value. */
  readonly repeatedKeys: readonly string[]
}

const NUMBER = /-?\d[\d.eE+-]*/y

/** Scans a JSON text. It must be valid. Not recursive: the text may be nested as deep as it likes. */
export function scanJson(text: string): JsonScan {
  const inexactNumbers: string[] = []
  const repeatedKeys: string[] = []
  const open: (Set<string> | null)[] = []
  let depth = 0
  let lastString = ''
  for (let place = 0; place < text.length; place++) {
    const character = text[place] ?? ''
    if (character === '"') {
      const end = endOfString(text, place)
      lastString = text.slice(place, end)
      place = end - 1
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null)
      depth = Math.max(depth, open.length)
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === ':') {
      const key = JSON.parse(lastString) as string
      if (open.at(-1)?.has(key)) repeatedKeys.push(key)
      open.at(-1)?.add(key)
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      NUMBER.lastIndex = place
      const number = NUMBER.exec(text)?.[0] ?? character
      if (decimalOf(number) !== decimalOf(String(Number(number)))) inexactNumbers.push(number)
      place += number.length - 1
    }
  }
  return { depth, inexactNumbers, repeatedKeys }
}

function endOfString(text: string, start: number): number {
  for (let place = start + 1; ; place++) {
    if (text[place] === '\\') place++
    else if (text[place] === '"') return place + 1
  }
}

/** One way to write a decimal number: `-12.50e3` and `-12500` are the same; `Infinity` is like no number. */
function decimalOf(number: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number)
  if (!match) return number
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${sign}${significant}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)}`
}
