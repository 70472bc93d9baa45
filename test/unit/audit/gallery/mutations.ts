/** One random change of a file, of the kinds that a hand or a disk makes. The same random numbers, the same change. */
import type { SampleSite } from '../verify/sample-files.ts'

export type Random = (below: number) => number

/** mulberry32 */
export function randomOf(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T

export interface Mutation {
  readonly what: string
  readonly bytes: Uint8Array
}

type TextMutation = readonly [what: string, text: string]

const toBytes = ([what, text]: TextMutation): Mutation => ({ what, bytes: Buffer.from(text) })

/** One change of an NDJSON export. @param donor another file, lines of which may be put in */
export function mutateExport(random: Random, text: string, donor: string): Mutation {
  const kind = random(10)
  if (kind === 0) return mutateBytes(random, Buffer.from(text))
  const lines = text.trimEnd().split('\n')
  if (kind <= 3) return toBytes(joined(mutateLines(random, lines, donor.trimEnd().split('\n'))))
  // The header is one line of many, and has more to change than the others together.
  const at = random(3) === 0 ? random(lines.length) : 0
  const [what, line] = mutateJson(random, lines[at] as string)
  return toBytes([`line ${at + 1}: ${what}`, `${lines.with(at, line).join('\n')}\n`])
}

/** One change of an export as AuditEvents. */
export function mutateEvents(random: Random, text: string, donor: string): Mutation {
  const kind = random(10)
  if (kind === 0) return mutateBytes(random, Buffer.from(text))
  const lines = text.trimEnd().split('\n')
  if (kind <= 3) return toBytes(joined(mutateLines(random, lines, donor.trimEnd().split('\n'))))
  const at = random(lines.length)
  const [what, line] = mutateJson(random, lines[at] as string)
  return toBytes([`line ${at + 1}: ${what}`, `${lines.with(at, line).join('\n')}\n`])
}

const joined = ([what, lines]: readonly [string, readonly string[]]): TextMutation => [
  what,
  lines.map((line) => `${line}\n`).join(''),
]

/** A line taken out, put in, doubled, exchanged or moved, or the end or the beginning cut off. */
function mutateLines(
  random: Random,
  lines: readonly string[],
  donor: readonly string[],
): readonly [string, readonly string[]] {
  const at = random(lines.length)
  const other = random(lines.length)
  const line = lines[at] as string
  switch (random(8)) {
    case 0:
      return [`line ${at + 1} deleted`, lines.toSpliced(at, 1)]
    case 1:
      return [`line ${at + 1} doubled`, lines.toSpliced(at, 0, line)]
    case 2:
      return [
        `lines ${at + 1} and ${other + 1} exchanged`,
        lines.with(at, lines[other] as string).with(other, line),
      ]
    case 3:
      return [
        `line ${at + 1} exchanged with the next`,
        at + 1 < lines.length ? lines.with(at, lines[at + 1] as string).with(at + 1, line) : lines,
      ]
    case 4:
      return [`line ${at + 1} moved to ${other + 1}`, lines.toSpliced(at, 1).toSpliced(other, 0, line)]
    case 5:
      return [`cut after line ${at}`, lines.slice(0, at)]
    case 6:
      return [`a line put in as ${at + 1}`, lines.toSpliced(at, 0, pick(random, donor))]
    default:
      return [`line ${at + 1} replaced by one of another file`, lines.with(at, pick(random, donor))]
  }
}

/** A byte or a few changed, put in or taken out. */
export function mutateBytes(random: Random, bytes: Uint8Array): Mutation {
  const at = random(bytes.length)
  const byte = bytes[at] as number
  const kind = random(5)
  if (kind === 0) {
    const changed = Uint8Array.from(bytes)
    changed[at] = byte ^ (1 << random(8))
    return { what: `bit of byte ${at}`, bytes: changed }
  }
  const length = kind === 1 ? 1 + random(200) : 1
  const put = kind === 2 ? [] : kind === 3 ? [byte, byte] : [random(256)]
  return {
    what: `${length} bytes at ${at} are ${put}`,
    bytes: new Uint8Array([...bytes.slice(0, at), ...put, ...bytes.slice(at + length)]),
  }
}

const strangers = [
  ...[
    'null',
    'true',
    '0',
    '1',
    '-1',
    '1.5',
    '1e3',
    '1e999',
    '""',
    '"x"',
    '"0"',
    '"1"',
    '"00"',
    '"01"',
    '"-0"',
    '[]',
    '{}',
  ],
  ...[
    '"18446744073709551615"',
    '"18446744073709551616"',
    '9007199254740993',
    '"é"',
    '"\\ud800"',
    '"\\u0000"',
    '[[[[[]]]]]',
  ],
]

/** A place in the text of a JSON value: a member or item, from its name on, and its value alone. */
interface Span {
  readonly nameStart: number
  readonly start: number
  readonly end: number
  readonly isItem: boolean
}

/** One member or item of a JSON text changed; in notes, also one of their lines. */
export function mutateJson(random: Random, text: string): TextMutation {
  const spans = spansOf(text)
  if (spans.length === 0) return ['nothing', text]
  const span = pick(random, spans)
  const value = text.slice(span.start, span.end)
  const whole = text.slice(span.nameStart, span.end)
  const where = text.slice(Math.max(0, span.nameStart - 5), span.nameStart + 40)
  const put = (what: string, from: number, to: number, by: string): TextMutation => [
    `${what} at ${from}: ${where}`,
    text.slice(0, from) + by + text.slice(to),
  ]
  switch (random(9)) {
    case 0: {
      const comma = text[span.end] === ',' ? 1 : 0
      const before = comma === 0 && text[span.nameStart - 1] === ',' ? 1 : 0
      return put('taken out', span.nameStart - before, span.end + comma, '')
    }
    case 1:
      return put('doubled', span.nameStart, span.end, `${whole},${whole}`)
    case 2:
      return put(
        'doubled with another value',
        span.nameStart,
        span.end,
        `${whole.slice(0, -value.length)}${pick(random, strangers)},${whole}`,
      )
    case 3:
      return put('a stranger', span.start, span.end, pick(random, strangers))
    case 4: {
      const other = pick(random, spans)
      return put('the value of another', span.start, span.end, text.slice(other.start, other.end))
    }
    case 5: {
      const next = spans[spans.indexOf(span) + 1]
      if (next === undefined || next.nameStart < span.end) return put('null', span.start, span.end, 'null')
      const swapped = text.slice(next.start, next.end) + text.slice(span.end, next.start) + value
      return put('exchanged with the next', span.start, next.end, swapped)
    }
    case 6:
      if (!span.isItem)
        return put('a new member', span.nameStart, span.nameStart, `"zz":${pick(random, strangers)},`)
      return put('a new item', span.nameStart, span.nameStart, `${pick(random, strangers)},`)
    default:
      return put('edited', span.start, span.end, editScalar(random, value))
  }
}

/** A text, number or word changed a little; of a note, one of its lines. */
function editScalar(random: Random, value: string): string {
  if (/^-?[0-9]/.test(value)) return String(Number(value) + 1 - 2 * random(2))
  if (!value.startsWith('"')) return pick(random, strangers)
  const text = JSON.parse(value) as string
  if (/^[0-9]{1,19}$/.test(text) && random(3) > 0)
    return JSON.stringify(String(BigInt(text) + BigInt(pick(random, [-1, 1, 256, -256]))))
  if (text.includes('\n') && random(2) === 0) return JSON.stringify(editNote(random, text))
  const at = random(text.length + 1)
  const character = pick(random, ['A', 'b', '0', '1', ' ', '\n', '-', '_', 'é', '+', '='])
  return JSON.stringify(text.slice(0, at) + character + text.slice(at + random(2)))
}

function editNote(random: Random, text: string): string {
  const lines = text.split('\n')
  return mutateLines(random, lines, lines)[1].join('\n')
}

/** Every member and item of a compact JSON text, at any depth. */
export function spansOf(text: string): Span[] {
  const spans: Span[] = []
  const valueEnd = (start: number): number => {
    const first = text[start]
    if (first === '"') return stringEnd(text, start)
    if (first === '{' || first === '[') return containerEnd(start, first === '[')
    let i = start
    while (i < text.length && !/[,\]}]/.test(text[i] as string)) i += 1
    return i
  }
  const containerEnd = (start: number, isItem: boolean): number => {
    let i = start + 1
    if (/[\]}]/.test(text[i] as string)) return i + 1
    for (;;) {
      const nameStart = i
      const valueStart = isItem ? i : stringEnd(text, i) + 1
      const end = valueEnd(valueStart)
      spans.push({ nameStart, start: valueStart, end, isItem })
      if (text[end] !== ',') return end + 1
      i = end + 1
    }
  }
  if (/^[{[]/.test(text)) valueEnd(0)
  return spans
}

function stringEnd(text: string, start: number): number {
  let i = start + 1
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i + 1
}

/** One change of a text in lines: a policy, a proof of one entry, a checkpoint. */
export function mutateText(random: Random, text: string): Mutation {
  if (random(2) === 0) return mutateBytes(random, Buffer.from(text))
  const lines = text.split('\n')
  const [what, changed] = mutateLines(random, lines, lines)
  return toBytes([what, changed.join('\n')])
}

/** One change of a file in CSV, by records or by bytes. */
export function mutateCsv(random: Random, text: string, donor: string): Mutation {
  if (random(3) === 0) return mutateBytes(random, Buffer.from(text))
  const records = text.trimEnd().split('\r\n')
  if (random(2) === 0) {
    const [what, changed] = mutateLines(random, records, donor.trimEnd().split('\r\n'))
    return toBytes([what, changed.map((record) => `${record}\r\n`).join('')])
  }
  const at = random(records.length)
  const fields = (records[at] as string).split(',')
  const field = random(fields.length)
  const [what, changed] = mutateLines(random, fields, ['', 'x', '"', "'=1", ...fields])
  const by = random(2) === 0 ? changed : fields.with(field, `${fields[field]}x`)
  return toBytes([`row ${at + 1}: ${what}`, `${records.with(at, by.join(',')).join('\r\n')}\r\n`])
}

/** One file of what logs publish changed, taken away, cut, or exchanged with another. */
export function mutateSite(random: Random, site: SampleSite): { what: string; site: SampleSite } {
  const changed: SampleSite = new Map(site)
  const paths = [...site.keys()]
  const path = pick(random, paths)
  const bytes = site.get(path) as Uint8Array
  const other = pick(random, paths)
  const kind = random(10)
  let what = `${path} `
  if (kind === 0) {
    changed.delete(path)
    what += 'deleted'
  } else if (kind === 1) {
    changed.set(path, bytes.slice(0, random(bytes.length)))
    what += 'cut'
  } else if (kind === 2) {
    changed.set(path, site.get(other) as Uint8Array).set(other, bytes)
    what += `exchanged with ${other}`
  } else if (/checkpoint$/.test(path)) {
    const mutation = mutateText(random, Buffer.from(bytes).toString())
    changed.set(path, mutation.bytes)
    what += mutation.what
  } else if (/json$/.test(path)) {
    const [how, text] = mutateJson(random, Buffer.from(bytes).toString())
    changed.set(path, Buffer.from(text))
    what += how
  } else {
    const mutation = mutateBytes(random, bytes)
    changed.set(path, mutation.bytes)
    what += mutation.what
  }
  return { what, site: changed }
}
