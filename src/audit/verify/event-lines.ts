/** AuditEvents of an export beside the entries they tell of. */
import type { Sha256 } from '../tlog/hash.ts'
import { isObject } from './entry-frame.ts'
import { elements, entryUrl, type Fact, type Facts, factsOf, valueAt } from './event-facts.ts'
import type { OpenLine } from './line.ts'
import { entryPlace, type Finding, finding } from './report.ts'
import { parseJson } from './strict-json.ts'
import type { Lines } from './text.ts'
import { eventIds, hasDecision, toldDecision, toldEvent } from './told-events.ts'
import type { Companion } from './verify-export.ts'

interface EventLine {
  readonly number: number
  /** Undefined: no JSON, or ambiguous. */
  readonly event: unknown
}

/** Which event of which entry comes next. */
interface Due {
  readonly place: string
  readonly id: string
  readonly isDecision: boolean
  readonly tell: (origin: string) => Facts
}

export class EventLines implements Companion {
  readonly #sha256: Sha256
  readonly #batches: AsyncIterator<Lines>
  #batch: Lines = { texts: [], first: 1 }
  #at = 0
  /** Public address of the record, as the first event says it: all of them say the same. */
  #origin: string | null = null

  constructor(sha256: Sha256, lines: AsyncIterable<Lines>) {
    this.#sha256 = sha256
    this.#batches = lines[Symbol.asyncIterator]()
  }

  /** Closes the source, also when it was not read to its end. */
  async close(): Promise<void> {
    await this.#batches.return?.()
  }

  async begin(): Promise<Finding | null> {
    return null
  }

  async take(line: OpenLine): Promise<Finding | null> {
    const [log, index] = [line.log ?? '', line.index ?? '']
    const entry = JSON.parse(line.entry) as unknown
    const [id, decisionId] = eventIds(this.#sha256, log, index)
    const place = entryPlace(log, index)
    const fault = await this.#compare({
      place,
      id,
      isDecision: false,
      tell: (origin) => toldEvent(entry, id, origin),
    })
    if (fault !== null || !hasDecision(valueAt(entry, 'access'))) return fault
    return await this.#compare({
      place,
      id: decisionId,
      isDecision: true,
      tell: (origin) => toldDecision(entry, decisionId, origin),
    })
  }

  async end(): Promise<Finding | null> {
    const line = await this.#next()
    return line === null
      ? null
      : finding('event-extra', `line ${line.number}`, 'There are more events than the entries have.')
  }

  async #compare(due: Due): Promise<Finding | null> {
    const line = await this.#next()
    if (line === null) return missing(due)
    if (!isObject(line.event))
      return finding('format', `line ${line.number}`, 'The line is not JSON of one reading, or no object.')
    if (isOf(line.event, due)) {
      this.#origin ??= originOf(line.event)
      return elementFault(line, due, this.#origin)
    }
    // An event too many stands before the entry's own; else the entry has none.
    const after = await this.#next()
    return after !== null && isOf(after.event, due)
      ? finding(
          'event-extra',
          `line ${line.number}`,
          `No entry that stands here has this event: the next one is of ${due.place}.`,
        )
      : missing(due)
  }

  async #next(): Promise<EventLine | null> {
    for (;;) {
      const { texts, first } = this.#batch
      while (this.#at < texts.length) {
        const number = first + this.#at
        const text = texts[this.#at] as string
        this.#at += 1
        if (/[^ \t\r\n]/.test(text)) return { number, event: parseJson(text) }
      }
      const { value, done } = await this.#batches.next()
      if (done) return null
      this.#batch = value
      this.#at = 0
    }
  }
}

/** Whether an event is meant to be this one: it has its id, or names the entry and is of the same kind. */
function isOf(event: unknown, { place, id, isDecision }: Due): boolean {
  if (valueAt(event, 'id') === id) return true
  const [extensions, subtypes] = [valueAt(event, 'extension'), valueAt(event, 'subtype')]
  const names =
    Array.isArray(extensions) &&
    extensions.some((item) => valueAt(item, 'url') === entryUrl && valueAt(item, 'valueString') === place)
  const decides =
    Array.isArray(subtypes) && subtypes.some((item) => valueAt(item, 'code') === 'AuthZ-Consent')
  return names && decides === isDecision
}

const missing = ({ place, isDecision }: Due): Finding =>
  finding(
    'event-missing',
    place,
    isDecision ? 'The event of its decision is not there.' : 'The entry has no event.',
  )

function originOf(event: unknown): string {
  const origin = valueAt(event, 'source', 'observer', 'identifier', 'value')
  return typeof origin === 'string' ? origin : ''
}

function elementFault({ number, event }: EventLine, { place, tell }: Due, origin: string): Finding | null {
  const [told, found] = [tell(origin), factsOf(event)]
  for (const element of elements) {
    if (isSame(told[element], found[element])) continue
    const [due, is] = [JSON.stringify(told[element]), JSON.stringify(found[element])]
    return finding(
      'event-element',
      `line ${number} element ${element}`,
      `The entry ${place} gives ${cut(due)}, the event has ${cut(is)}.`,
    )
  }
  return null
}

/** As JSON: nearly all facts are lists of texts, which need not be written for it. */
function isSame(told: Fact, found: Fact): boolean {
  if (told === found) return true
  if (!Array.isArray(told) || !Array.isArray(found)) return JSON.stringify(told) === JSON.stringify(found)
  return told.length === found.length && told.every((fact, i) => isSame(fact, found[i]))
}

const cut = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)
