/**
 * Pruned lines of a file and the pruning entries they name (`docs/audit-log.md` §4). An entry may have pruned millions, of
 * its own log or of one before it in the line: of all that went by one, only the first and the last are kept.
 */
import { isDecimal, isDecimalLess } from './decimal.ts'
import { isLogName, isObject, isTime } from './entry-frame.ts'
import { entryPlace, type Finding, finding } from './report.ts'

/** What a pruning entry lets go: bodies of `log` below index `to`, of entries older than `before`. */
export interface PruningNote {
  readonly log: string
  readonly to: string
  readonly before: string
}

/** What one entry is said to have pruned in one log. */
interface Pruned {
  readonly log: string
  /** `<log>/<index>` */
  readonly by: string
  readonly first: string
  last: string
  /** Of the newest open entry before the last one; empty: there is none. */
  time: string
}

export class Prunings {
  readonly #pruned = new Map<string, Pruned>()
  readonly #entries = new Map<string, PruningNote>()

  /** @param time of the newest open entry of that log so far */
  addPruned(log: string, index: string, by: string, time: string): void {
    const key = `${log} ${by}`
    const pruned = this.#pruned.get(key)
    if (pruned === undefined) this.#pruned.set(key, { log, by, first: index, last: index, time })
    else Object.assign(pruned, { last: index, time })
  }

  addEntry(log: string, index: string, note: PruningNote): void {
    this.#entries.set(entryPlace(log, index), note)
  }

  /** The first thing wrong, by log in the order of the file, then by index. */
  fault(): Finding | null {
    const found = new Map<string, { readonly index: string; readonly fault: Finding }>()
    for (const pruned of this.#pruned.values()) {
      const fault = this.#faultOf(pruned)
      if (fault === null) continue
      const before = found.get(pruned.log)
      if (before === undefined || isDecimalLess(fault.index, before.index)) found.set(pruned.log, fault)
    }
    for (const { log } of this.#pruned.values()) {
      const first = found.get(log)
      if (first !== undefined) return first.fault
    }
    return null
  }

  #faultOf({ log, by, first, last, time }: Pruned): { index: string; fault: Finding } | null {
    const note = this.#entries.get(by)
    const at = (index: string, code: Finding['code'], sentence: string) => ({
      index,
      fault: finding(code, entryPlace(log, index), sentence),
    })
    if (note === undefined)
      return at(
        first,
        'pruning-missing',
        `It is pruned by ${by}, which is not in the file or is no pruning entry.`,
      )
    if (note.log !== log)
      return at(last, 'pruning-other', `It is pruned by ${by}, which prunes the log ${note.log}.`)
    if (!isDecimalLess(last, note.to))
      return at(
        last,
        'pruning-other',
        `It is pruned by ${by}, which goes only up to the entries below ${note.to}.`,
      )
    return time < note.before
      ? null
      : at(
          last,
          'pruning-other',
          `It is pruned by ${by}, which is of entries before ${note.before}: one before this one is of ${time}.`,
        )
  }
}

/**
 * Null: the entry prunes nothing.
 * @param entry canonical text of an entry of `log` at `index` whose action is `redaction`
 */
export function readPruningNote(log: string, index: string, entry: string): PruningNote | null {
  const { access } = JSON.parse(entry) as { readonly access: unknown }
  if (!isObject(access) || access.action !== 'redaction' || access.phase !== 'intent') return null
  const { decision, note } = access
  if (!isObject(decision) || decision.outcome !== 'permit' || !isObject(note)) return null
  const { 'prunes-log': of, 'prunes-to': to, 'prunes-before': before } = note
  if (typeof of !== 'string' || !isLogName(of) || !isDecimal(to)) return null
  if (typeof before !== 'string' || !isTime(before)) return null
  const isOwn = of === log && !isDecimalLess(index, to)
  return isOwn || isLaterInLine(of, log) ? { log: of, to, before } : null
}

const numbered = /^(?<base>.+)-(?<number>[2-9]|[1-9][0-9]{1,5})$/

/** Whether the second name is that of a successor of the first: `a-2` of `a`, `a-3` of `a-2`. */
function isLaterInLine(log: string, later: string): boolean {
  const { base, number } = numbered.exec(later)?.groups ?? {}
  if (base === undefined || base === log) return base === log
  const before = numbered.exec(log)?.groups
  return before?.base === base && Number(before.number) < Number(number)
}
