/** A month of accesses in a real ledger beside a real record, and the review of it as an officer has it. */
import type { Caller } from '../../../../src/access/caller.ts'
import { entryText } from '../../../../src/audit/commitment.ts'
import { buildEntries } from '../../../../src/audit/entry.ts'
import type { Access, Who } from '../../../../src/audit/port.ts'
import type { Reader, Rows, SqlValue, Statement } from '../../../../src/store/ports.ts'
import { auditReview } from '../../../../src/trail/review/operation.ts'
import type { RuleName } from '../../../../src/trail/review/rules.ts'
import { base } from '../../audit/access.ts'
import { openLedger } from '../../audit/support.ts'
import { callers, type Desk, openDesk } from '../../governance/support.ts'

/** The review of October 2026 happens on 15 November. */
export const reviewTime = Date.parse('2026-11-15T15:00:00Z')

/** 14 October 2026, 10:00 in Québec. */
export const workday = Date.parse('2026-10-14T14:00:00Z')

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

export interface Told {
  readonly id: string
  readonly rule: RuleName
  readonly professional: { readonly id: string; readonly name: string }
  readonly patient: { readonly person: string; readonly reference: string | null } | null
  readonly numbers: Readonly<Record<string, number | string>>
  readonly entries: readonly string[]
  readonly entryCount: number
  readonly decisions: readonly { readonly decision: string; readonly month: string; readonly note: string }[]
}

export interface Reviewed {
  readonly findings: readonly Told[]
  readonly summary: Readonly<Record<string, number | boolean>>
  readonly rules: Readonly<Record<string, unknown>>
  readonly logs: readonly { readonly log: string; readonly first: number; readonly end: number }[]
}

export interface Read {
  /** Milliseconds since 1970; a minute after the one before. */
  readonly at?: number
  readonly log?: string
  readonly who?: Partial<Who>
  readonly patient?: string | null
  readonly more?: Partial<Access>
}

export class World {
  readonly desk: Desk = openDesk()
  readonly #database = openLedger()
  readonly asked: Statement[] = []
  readonly #sizes = new Map<string, number>()
  #time = workday

  readonly ledger: Reader = {
    read: async (statements) =>
      statements.map((statement) => {
        this.asked.push(statement)
        return this.#all(statement.sql, statement)
      }),
  }

  #all(sql: string, { args = [] }: Statement): Rows {
    const prepared = this.#database.prepare(sql)
    return (Array.isArray(args)
      ? prepared.all(...(args as SqlValue[]))
      : prepared.all(args as Record<string, SqlValue>)) as unknown as Rows
  }

  /** Appends one entry: dr-roy reads at the hospital, unless told otherwise. Returns `log/index`. */
  read({
    at = this.#time + minuteMs,
    log = 'montreal',
    who = {},
    patient = 'person-a',
    more = {},
  }: Read = {}): string {
    this.#time = at
    const index = this.#sizes.get(log) ?? 0
    this.#sizes.set(log, index + 1)
    const { part: _, parts: __, patient: ___, resources: ____, ...rest } = more as Partial<Access>
    const built = buildEntries(
      {
        ...base,
        policyVersion: 'abcd.5',
        note: { basis: 'encounter' },
        ...rest,
        who: {
          ...base.who,
          practitioner: 'dr-roy',
          name: 'Dre Anne Dubois',
          facility: 'hopital',
          organisation: 'ciusss',
          ...who,
        },
      },
      [{ patient, resources: [] }],
      'ciusss',
    )
    if (!built.ok || !built.value[0]) throw new Error('no entry')
    const text = entryText(built.value[0].access, {
      log,
      index,
      time: new Date(at).toISOString(),
      organisation: null,
      patient: null,
    })
    const run = (sql: string, ...args: SqlValue[]) => this.#database.prepare(sql).run(...args)
    run('insert into ledger_leaf values (?, ?, ?)', log, index, new Uint8Array(33))
    run(
      'insert into ledger_body (log, idx, salt, entry) values (?, ?, ?, ?)',
      log,
      index,
      new Uint8Array(32),
      text,
    )
    return `${log}/${index}`
  }

  /** By identifier and birth date. */
  lookUp(more: Read = {}): string {
    const text = '/fhir/Patient?identifier=nam%7CA&birthdate=1980-05-05'
    return this.read({
      ...more,
      more: {
        ...more.more,
        query: { method: 'GET', path: '/fhir/Patient', text, sha256: '' },
        decision: { outcome: 'permit', reason: 'identity-look-up', detail: null },
        note: null,
      },
    })
  }

  sql(text: string): void {
    this.desk.records.db.exec(text)
  }

  /** What a source record says of its person. */
  patient(sourceRecord: string, person: string, content: object): void {
    this.desk.records.db
      .prepare(
        `insert into document (person, type, date_lo, id, source_record, facility, domain, category, code, date_hi, status,
           confidentiality, published, version, clock, hash, body)
         values (?, 'Patient', '', ?, ?, 'hopital', 'identity', '', '', '', '', '', '2020-01-01', 1, 0, '', ?)`,
      )
      .run(person, sourceRecord, sourceRecord, JSON.stringify(content))
  }

  async review(
    rule: RuleName | null = null,
    {
      caller = callers.officer,
      now = reviewTime,
      month = '2026-10',
    }: { caller?: Caller; now?: number; month?: string } = {},
  ): Promise<Reviewed> {
    const query = { month, ...(rule === null ? {} : { rule }) }
    const result = await this.desk.ask(auditReview, caller, { query, now, ledger: this.ledger })
    if (!result.ok) throw new Error(JSON.stringify(result.error))
    const { body } = result.value
    if (typeof body === 'string') throw new Error('a review streams')
    let text = ''
    const announced = new Set<string>()
    for await (const { patients, bytes } of body.chunks) {
      for (const patient of patients) announced.add(patient)
      const chunk = new TextDecoder().decode(bytes)
      for (const [, person] of chunk.matchAll(/"person":"([^"]+)"/g))
        if (!announced.has(String(person))) throw new Error(`${person} leaves before it is in the log`)
      text += chunk
    }
    return JSON.parse(text) as Reviewed
  }

  /** How many entries each finding of the rule rests on. */
  async counts(rule: RuleName, options: Parameters<World['review']>[1] = {}): Promise<readonly number[]> {
    return (await this.review(rule, options)).findings.map(({ entryCount }) => entryCount)
  }

  set(rule: RuleName, thresholds: object): void {
    this.desk.records.db
      .prepare(
        'update review_rule set thresholds = json_patch(thresholds, ?) where name = ? and valid_to is null',
      )
      .run(JSON.stringify(thresholds), rule)
  }

  plans(): readonly string[] {
    const distinct = new Map(this.asked.map((statement) => [statement.sql, statement]))
    return [...distinct.values()].flatMap((statement) =>
      this.#all(`explain query plan ${statement.sql}`, statement).map(({ detail }) => String(detail)),
    )
  }
}
