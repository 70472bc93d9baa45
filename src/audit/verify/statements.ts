/** Statements of a log: heads of chains, and the list of logs (`docs/audit-log.md` §3). */
import { FormatError } from '../tlog/errors.ts'
import { type Note, parseNote } from '../tlog/note.ts'
import { isDecimal } from './decimal.ts'
import { isLogName } from './entry-frame.ts'
import { withName } from './signed-text.ts'

export interface SignedHead {
  readonly note: Note
  readonly origin: string
  readonly size: string
  readonly kind: 'organisation' | 'patient'
  /** Lower-case hexadecimal SHA-256 of the chain key. */
  readonly key: string
  /** Decimal. */
  readonly count: string
  /** Index of the newest; null: none. */
  readonly last: string | null
}

const headPattern =
  /^dossier-head\/v1\n([^\n]+)\nsize ([0-9]+)\nchain (organisation|patient)\nkey ([0-9a-f]{64})\ncount ([0-9]+)\nlast ([0-9]+|-)\n$/

/**
 * The signature is not checked.
 * @param what how it is called in the error
 * @throws FormatError
 */
export function parseSignedHead(text: string, what: string): SignedHead {
  return withName(what, () => {
    const note = parseNote(text)
    const [, origin, size, kind, key, count, last] = headPattern.exec(note.text) ?? []
    if (origin === undefined || key === undefined || !isDecimal(size) || !isDecimal(count))
      throw new FormatError('its seven lines are not those of the head of a chain.')
    if (last !== '-' && !isDecimal(last)) throw new FormatError('its last entry is no index.')
    if ((count === '0') !== (last === '-'))
      throw new FormatError(`its chain has ${count} entries, and its last one is ${last}.`)
    const isPatient = kind === 'patient'
    return {
      note,
      origin,
      size,
      kind: isPatient ? 'patient' : 'organisation',
      key,
      count,
      last: last === '-' ? null : last,
    }
  })
}

export interface ListedKeys {
  readonly log: string
  readonly vkey: string
  readonly mldsa44Vkey: string | null
}

export interface LogList {
  /** Of the log that signed, decimal. */
  readonly size: string
  readonly logs: readonly ListedKeys[]
}

/** The second line of a list: the origin of the log that signed it. */
export const listOrigin = (text: string): string | undefined => text.split('\n')[1]

/** @throws FormatError */
export function parseList(text: string): LogList {
  const [first, , sizeLine, ...lines] = text.slice(0, -1).split('\n')
  const size = sizeLine?.startsWith('size ') ? sizeLine.slice('size '.length) : undefined
  if (first !== 'dossier-logs/v1' || !isDecimal(size)) throw new FormatError('it is no list of logs.')
  const logs: ListedKeys[] = []
  for (const line of lines) {
    const log = readListLine(line)
    if (log === null)
      throw new FormatError(`it has a line that describes no log: ${JSON.stringify(line.slice(0, 60))}.`)
    const before = logs.at(-1)
    if (before !== undefined && !(before.log < log.log))
      throw new FormatError(`it is not sorted: ${log.log} comes after ${before.log}.`)
    logs.push(log)
  }
  return { size, logs }
}

function readListLine(line: string): ListedKeys | null {
  const [word, log, vkey, mldsa44Vkey, predecessor, state, ...more] = line.split(' ')
  if (word !== 'log' || log === undefined || !isLogName(log) || more.length > 0) return null
  if (vkey === undefined || mldsa44Vkey === undefined || predecessor === undefined) return null
  if (predecessor !== '-' && !isLogName(predecessor)) return null
  if (state !== 'active' && state !== 'retired') return null
  return { log, vkey, mldsa44Vkey: mldsa44Vkey === '-' ? null : mldsa44Vkey }
}
