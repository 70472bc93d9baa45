/** Statements of a log: heads of chains, and the list of logs (`docs/audit-log.md` §3). */
import { err, ok, type Result } from '../../result.ts'
import { isDecimal, isDecimalLess } from './decimal.ts'
import { isLogName } from './entry-frame.ts'

export interface Head {
  readonly size: string
  readonly kind: string
  /** Lower-case hexadecimal SHA-256 of the chain key. */
  readonly key: string
  /** Decimal. */
  readonly count: string
  /** Index of the newest; null: none. */
  readonly last: string | null
}

/** The second line of a statement: the origin of the log that made it. */
export const statementOrigin = (text: string): string | undefined => text.split('\n')[1]

/** What stands after each of the names, one line each, after the two lines every statement begins with. */
function readLines(text: string, first: string, names: readonly string[]): string[] | null {
  const lines = text.split('\n')
  if (lines[0] !== first) return null
  const values = names.map((name, i) => {
    const line = lines[2 + i]
    return line?.startsWith(`${name} `) ? line.slice(name.length + 1) : null
  })
  return values.every((value) => value !== null) ? values : null
}

/** An error says what is wrong. */
export function parseHead(text: string): Result<Head, string> {
  const values = readLines(text, 'dossier-head/v1', ['size', 'chain', 'key', 'count', 'last'])
  if (values === null || text.split('\n').length !== 8)
    return err('The log signed what is no head of a chain.')
  const [size, kind, key, count, last] = values as [string, string, string, string, string]
  if (!isDecimal(size) || !isDecimal(count) || !(last === '-' || isDecimal(last)))
    return err('The head of the chain has a number that is none.')
  if ((count === '0') !== (last === '-'))
    return err(`The head of the chain has ${count} entries, and its last one is ${last}.`)
  return ok({ size, kind, key, count, last: last === '-' ? null : last })
}

export interface ListedKeys {
  readonly log: string
  readonly vkey: string
  readonly mldsa44Vkey: string | null
}

export interface LogList {
  readonly size: string
  readonly logs: readonly ListedKeys[]
}

/** An error says what is wrong. */
export function parseList(text: string): Result<LogList, string> {
  const values = readLines(text, 'dossier-logs/v1', ['size'])
  const [size] = values ?? []
  if (size === undefined || !isDecimal(size)) return err('It is no list of logs.')
  const logs: ListedKeys[] = []
  for (const line of text.split('\n').slice(3, -1)) {
    const log = readListLine(line)
    if (log === null) return err(`It has a line that describes no log: ${JSON.stringify(line.slice(0, 60))}.`)
    const before = logs.at(-1)
    if (before !== undefined && !(before.log < log.log))
      return err(`It is not sorted: ${log.log} comes after ${before.log}.`)
    logs.push(log)
  }
  return ok({ size, logs })
}

function readListLine(line: string): ListedKeys | null {
  const [word, log, vkey, mldsa44Vkey, predecessor, state, ...more] = line.split(' ')
  if (word !== 'log' || log === undefined || !isLogName(log) || more.length > 0) return null
  if (vkey === undefined || mldsa44Vkey === undefined || predecessor === undefined) return null
  if (predecessor !== '-' && !isLogName(predecessor)) return null
  if (state !== 'active' && state !== 'retired') return null
  return { log, vkey, mldsa44Vkey: mldsa44Vkey === '-' ? null : mldsa44Vkey }
}

/** Whether a list that its signer made at `listSize` knows all that the signer knew at `size`. */
export const isListCurrent = (listSize: string, size: string): boolean => !isDecimalLess(listSize, size)
