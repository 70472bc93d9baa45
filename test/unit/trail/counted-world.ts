/** Two logs of made-up accesses, the persons they are about in *records*, and operations that count them. */
import canonicalize from 'canonicalize'
import type { Caller } from '../../../src/access/caller.ts'
import type { Access } from '../../../src/audit/port.ts'
import type { AnyOperation, Asker, Disclosure, Page } from '../../../src/disclosure/operation.ts'
import { base } from '../audit/access.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'
import { chunksOf } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

export interface ToldEntry {
  readonly access: Access
  readonly index: string
  readonly log: string
  readonly time: string
}

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const startMs = Date.UTC(2026, 5, 1)

const timeOf = (at: number): string => new Date(at).toISOString()

/** Appends one entry as it is said, a minute after the one before. */
export function appendEntry(log: SampleLog, access: Access): void {
  const index = log.size
  const time = timeOf(startMs + index * 60_000)
  const chains = { organisation: null, patient: null }
  log.appendText(canonicalize({ access, chains, index: String(index), log: log.name, time, v: 1 }) as string)
}

export const accessOf = (more: Partial<Access> = {}): Access => ({
  ...base,
  patient: null,
  resources: [],
  part: 1,
  parts: 1,
  ...more,
})

const organisations = ['north', 'south', 'east']
const purposes = ['TREAT', 'ETREAT', 'BTG', 'HRESCH', null]
const actions = ['read', 'search', 'export', 'publish', 'policy', 'redaction'] as const

/** One request as the app has it appended: some entries in a row, or an intent and, later, its outcome. */
export function appendRandomRequest(log: SampleLog, random: () => number, number: number): void {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const organisation = random() < 0.05 ? null : pick([...organisations, 'north', 'north'])
  const practitioner = random() < 0.1 ? null : `professional-${Math.floor(random() * 12)}`
  const patients = Array.from(
    { length: Math.floor(random() * 3) },
    () => `person-${Math.floor(random() * 40)}`,
  )
  const action = pick(actions)
  const outcome = pick(['permit', 'permit', 'permit', 'deny', 'error'] as const)
  const purpose = pick(purposes)
  const access = accessOf({
    requestId: `request-${log.name}-${number}`,
    action,
    operation: random() < 0.1 ? 'attest' : 'search-type',
    purpose,
    breakGlassReason: purpose === 'BTG' ? 'Inconscient à l’arrivée' : null,
    decision: { outcome, reason: pick(['shared-domain', 'own-facility', 'refusal-total']), detail: null },
    who: {
      ...base.who,
      organisation,
      practitioner,
      name: `Dre ${practitioner}`,
      role: practitioner === null ? 'facility-system' : pick(['physician', 'nurse']),
      facility: organisation === null ? null : `${organisation}-${pick([1, 2])}`,
    },
    note: action === 'export' ? { export: `x${number}`, format: 'csv', patient: 'person-1' } : null,
  })
  const kind = random()
  if (kind < 0.2) appendEntry(log, { ...access, phase: 'intent' })
  const phase = kind < 0.2 ? 'outcome' : 'access'
  // Continuations of each patient follow it.
  const pages = [...new Set(patients)].flatMap((patient) => (random() < 0.2 ? [patient, patient] : [patient]))
  if (pages.length === 0) appendEntry(log, { ...access, phase })
  for (const [i, patient] of pages.entries())
    appendEntry(log, { ...access, phase, patient, part: i + 1, parts: pages.length })
}

export class CountedWorld {
  readonly ledger = new PublishedLedger()
  readonly records: MemoryDatabase = openDatabase('records')
  readonly logs: readonly SampleLog[]
  #rows = 0

  constructor(names: readonly string[] = ['east', 'west']) {
    this.logs = names.map((name) => new SampleLog(name))
    for (const organisation of organisations) {
      this.records.rows(
        'insert into organisation (id, name, valid_from) values (?, ?, 0)',
        organisation,
        organisation,
      )
      for (const n of [1, 2])
        this.records.rows(
          `insert into facility (id, uri, name, organisation, type, region, log, valid_from)
             values (?, ?, ?, ?, 'hospital', 'r', 'east', 0)`,
          `${organisation}-${n}`,
          `urn:${organisation}-${n}`,
          organisation,
          organisation,
        )
    }
  }

  addSourceRecord(person: string, facility: string): string {
    const id = `source-${++this.#rows}`
    this.records.rows('insert into source_record values (?, ?, ?, 1)', id, facility, person)
    return id
  }

  publish(): void {
    for (const log of this.logs) this.ledger.publish(log)
  }

  /** Every entry as it was appended, in the period. */
  entries(from: string, to: string): ToldEntry[] {
    return this.logs
      .flatMap((log) => log.entries.filter(({ redacted }) => redacted === null))
      .map(({ text }) => JSON.parse(text) as ToldEntry)
      .filter(({ time }) => time >= from && time < to)
  }

  /** What an operation discloses to a privacy officer; `organisation` null: of the whole record. */
  async ask(
    operation: AnyOperation,
    input: Record<string, unknown>,
    organisation: string | null = null,
  ): Promise<Disclosure> {
    const caller: Caller = {
      kind: 'privacy-officer',
      professional: 'bouchard',
      name: 'Bouchard',
      organisation,
    }
    const ctx = {
      query: operation.query.parse(input),
      now: Date.UTC(2027, 0, 10),
      ledger: this.ledger.reader,
      auditLogs: this.ledger.auditLogs,
      logs: this.logs.map(({ name }) => name),
      logPolicy: null,
      load: async (page: (asker: Asker) => Page) => ({
        ok: true,
        value: { caller, records: await this.records.read(page({} as Asker).records ?? []) },
      }),
    }
    const result = await operation.handle(ctx as unknown as Parameters<typeof operation.handle>[0])
    if (!result.ok) throw new Error(JSON.stringify(result.error))
    return result.value
  }
}

export interface Chunks {
  readonly text: string
  readonly chunks: readonly { readonly patients: readonly string[]; readonly text: string }[]
}

export async function read(disclosure: Disclosure): Promise<Chunks> {
  const chunks: { patients: readonly string[]; text: string }[] = []
  for await (const { patients, bytes } of chunksOf(disclosure))
    chunks.push({ patients, text: new TextDecoder().decode(bytes) })
  return { text: chunks.map(({ text }) => text).join(''), chunks }
}
