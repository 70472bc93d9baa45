/** Redacted lines of one log and the redaction entries they name. Holds about 100 bytes for each. */
import { isDecimal, isDecimalLess } from './decimal.ts'
import { isObject } from './entry-frame.ts'
import { entryPlace, type Finding, finding } from './report.ts'

/** What a redaction entry says of the entry whose body went. */
interface RedactionNote {
  readonly redacts: string
  /** Places in the chains: `<count>@<previous>`, `<count>@-`, `-`. */
  readonly organisation: string
  readonly patient: string
}

interface RedactedIndex {
  /** Index of the entry it names. */
  readonly by: string
  /** The place that its neighbours leave it in the exported chain; null: no chain is exported. */
  readonly place: string | null
}

export type ChainKind = 'organisation' | 'patient'

export class Redactions {
  readonly #log: string
  readonly #chain: ChainKind | null
  readonly #redacted = new Map<string, RedactedIndex>()
  readonly #named = new Set<string>()
  readonly #entries = new Map<string, RedactionNote>()
  /** By the index redacted, the index of the first entry that redacts it. */
  readonly #first = new Map<string, string>()
  readonly #duplicates: { readonly index: string; readonly redacts: string }[] = []

  constructor(log: string, chain: ChainKind | null) {
    this.#log = log
    this.#chain = chain
  }

  /** Whether a redacted line before this index names it. */
  isNeeded(index: string): boolean {
    return this.#named.has(index)
  }

  /** Whether a redaction entry that was named has not come yet. */
  get areMissing(): boolean {
    return [...this.#named].some((index) => !this.#entries.has(index))
  }

  addRedacted(index: string, by: string, place: string | null): void {
    this.#redacted.set(index, { by, place })
    this.#named.add(by)
  }

  /** @param entry canonical text of an entry whose action is `redaction` */
  addEntry(index: string, entry: string): void {
    const note = readRedactionNote(this.#log, index, JSON.parse(entry))
    if (note === null) return
    this.#entries.set(index, note)
    if (this.#first.has(note.redacts)) this.#duplicates.push({ index, redacts: note.redacts })
    else this.#first.set(note.redacts, index)
  }

  /** The first thing wrong, by index. */
  fault(): Finding | null {
    const places: { readonly index: string; readonly fault: Finding }[] = this.#duplicates.map(
      ({ index, redacts }) => ({
        index,
        fault: this.#at(
          index,
          'redaction-duplicate',
          `It redacts ${redacts}, which ${this.#first.get(redacts)} redacted before.`,
        ),
      }),
    )
    for (const [index, redacted] of this.#redacted) {
      const fault = this.#redactedFault(index, redacted)
      if (fault !== null) places.push({ index, fault })
    }
    const [first] = places.sort((a, b) => (isDecimalLess(a.index, b.index) ? -1 : 1))
    return first?.fault ?? null
  }

  #redactedFault(index: string, { by, place }: RedactedIndex): Finding | null {
    const note = this.#entries.get(by)
    if (note === undefined || !isDecimalLess(index, by))
      return this.#at(
        index,
        'redaction-missing',
        `It is redacted by ${by}, which is not in the file or is no redaction entry.`,
      )
    if (note.redacts !== index)
      return this.#at(index, 'redaction-other', `It is redacted by ${by}, which redacts ${note.redacts}.`)
    const told = this.#chain === null ? place : note[this.#chain]
    if (place === null || told === null || told === place) return null
    return this.#at(
      index,
      told === '-' ? 'chain-key' : isBefore(told, place) ? 'chain-order' : 'chain-gap',
      `The redaction entry ${by} gives it the place ${told} in the chain, its neighbours ${place}.`,
    )
  }

  #at(index: string, code: Finding['code'], sentence: string): Finding {
    return finding(code, entryPlace(this.#log, index), sentence)
  }
}

const placePattern = /^([1-9][0-9]{0,19})@(-|0|[1-9][0-9]{0,19})$/

/** Whether one place has a lower count, or an older predecessor, than the other. */
function isBefore(a: string, b: string): boolean {
  const [, countA = '', previousA = ''] = placePattern.exec(a) ?? []
  const [, countB = '', previousB = ''] = placePattern.exec(b) ?? []
  if (isDecimalLess(countA, countB)) return true
  return previousB !== '-' && (previousA === '-' || isDecimalLess(previousA, previousB))
}

/** Null: the entry redacts nothing in this log. One that a successor took over names the log that it was made for. */
function readRedactionNote(log: string, index: string, entry: unknown): RedactionNote | null {
  const access = isObject(entry) ? entry.access : null
  if (!isObject(access) || access.action !== 'redaction' || access.phase !== 'intent') return null
  const { decision, note } = access
  if (!isObject(decision) || decision.outcome !== 'permit' || !isObject(note)) return null
  const { redacts, 'redacts-log': of = log } = note
  if (of !== log) return null
  const organisation = note['redacts-organisation']
  const patient = note['redacts-patient']
  if (!isDecimal(redacts) || !isDecimalLess(redacts, index)) return null
  return isPlace(organisation, redacts) && isPlace(patient, redacts)
    ? { redacts, organisation, patient }
    : null
}

/** Whether an entry at this index may have had this place. */
function isPlace(value: unknown, index: string): value is string {
  if (value === '-') return true
  const [, count, previous] = (typeof value === 'string' && placePattern.exec(value)) || []
  if (!isDecimal(count)) return false
  return previous === '-'
    ? count === '1'
    : isDecimal(previous) && count !== '1' && isDecimalLess(previous, index)
}
