/**
 * The monthly review: the month's accesses, professional after professional, against every rule. Memory holds one batch of
 * accesses and, for the volumes, a few numbers of each professional.
 */

import { isAdministrative } from '../../access/caller.ts'
import { limits } from '../../limits.ts'
import type { Reader } from '../../store/ports.ts'
import {
  type AccessEntry,
  accessEntry,
  accessesStatement,
  type Part,
  type Professional,
  partsOf,
  professionalsStatement,
} from './entries.ts'
import { type Facts, type PastDecision, type ReadRecords, readFacts } from './facts.ts'
import { type Found, findingId } from './finding.ts'
import type { Month } from './month.ts'
import { type ProfessionalMonth, professionalMonth } from './professional-month.ts'
import { attestationOnly, breakGlassWithoutFollowUp, freshRelationship } from './rule-basis.ts'
import { lookUpWithoutRead, unusualHours } from './rule-habits.ts'
import { colleague, ownRecord, sameFamilyOrAddress, watchList, withoutReason } from './rule-persons.ts'
import { type Volume, volumeOf, volumes } from './rule-volume.ts'
import type { Rules } from './rules.ts'

export interface ReviewRequest {
  readonly ledger: Reader
  readonly read: ReadRecords
  readonly month: Month
  /** Null: of the whole record. */
  readonly organisation: string | null
  readonly rules: Rules
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Finding extends Found {
  readonly id: string
  /** Server id of a `Patient` of the person; null: about many, or nobody knows the person any more. */
  readonly sourceRecord: string | null
  /** On the same pattern, newest first. */
  readonly decisions: readonly PastDecision[]
}

/** What was looked at, and what was not. */
export interface Summary {
  professionals: number
  accesses: number
  findings: number
  /** Patterns found justified before, and not told again until a day. */
  muted: number
  /** Emergencies whose follow-up may still come. */
  notYetDue: number
  /** Found past `limits.maxReviewFindings`, counted only. */
  untold: number
  /** Accesses past `limits.maxReviewEntries` of one professional. */
  unreadAccesses: number
  /** Professionals past `limits.maxReviewProfessionals` were not looked at. */
  isProfessionalsCut: boolean
  /** Some list of facts was longer than `limits.maxReviewFacts`: findings that rest on the rest are missing. */
  isFactsCut: boolean
}

export class Review {
  readonly summary: Summary = {
    professionals: 0,
    accesses: 0,
    findings: 0,
    muted: 0,
    notYetDue: 0,
    untold: 0,
    unreadAccesses: 0,
    isProfessionalsCut: false,
    isFactsCut: false,
  }
  readonly parts: readonly Part[]
  readonly #request: ReviewRequest
  readonly #volumes: Volume[] = []

  constructor(request: ReviewRequest, parts: readonly Part[]) {
    this.#request = request
    this.parts = parts
  }

  static async open(request: ReviewRequest): Promise<Review> {
    return new Review(request, await partsOf(request.ledger, request.month))
  }

  /** Once. What was found in each batch; `summary` is whole when it ends. */
  async *findings(): AsyncGenerator<readonly Finding[]> {
    for await (const batch of this.#batches()) {
      const entries = await this.#accesses(batch)
      if (entries.length === 0) continue
      const facts = await this.#facts(entries)
      const months = [...Map.groupBy(entries, ({ practitioner }) => practitioner)]
      yield this.#told(
        months.flatMap(([id, own]) => this.#judge(professionalMonth(id, own), facts)),
        facts,
      )
    }
    const { volume } = this.#request.rules
    if (volume === undefined) return
    const outside = volumes(this.#volumes, volume)
    for (let at = 0; at < outside.length; at += limits.reviewProfessionalsPage) {
      const page = outside.slice(at, at + limits.reviewProfessionalsPage)
      yield this.#told(page, await this.#decisionsOn(page))
    }
  }

  /** Professionals of the month who together have as many entries as one page holds, or one who has more. */
  async *#batches(): AsyncGenerator<readonly Professional[]> {
    const { ledger } = this.#request
    let batch: Professional[] = []
    let total = 0
    for (let after = ''; ; ) {
      const [rows = []] = await ledger.read(
        [professionalsStatement(this.parts, after)],
        limits.exportPageDeadlineMs,
      )
      for (const row of rows) {
        const one = { id: String(row.practitioner), entries: Number(row.entries) }
        after = one.id
        if (one.entries === 0) continue
        if (batch.length > 0 && total + one.entries > limits.reviewPageEntries) {
          yield batch
          batch = []
          total = 0
        }
        batch.push(one)
        total += one.entries
      }
      if (this.summary.professionals >= limits.maxReviewProfessionals) {
        this.summary.isProfessionalsCut = rows.length === limits.reviewProfessionalsPage
        break
      }
      if (rows.length < limits.reviewProfessionalsPage) break
    }
    if (batch.length > 0) yield batch
  }

  async #accesses(batch: readonly Professional[]): Promise<readonly AccessEntry[]> {
    const { ledger, organisation } = this.#request
    const ids = batch.map(({ id }) => id)
    const entries: AccessEntry[] = []
    let parts = this.parts
    for (;;) {
      const [rows = []] = await ledger.read(
        [accessesStatement(ids, parts, organisation)],
        limits.exportPageDeadlineMs,
      )
      for (const row of rows) entries.push(accessEntry(row))
      const last = entries.at(-1)
      // Only one professional alone has more than a page.
      if (rows.length < limits.reviewPageEntries || batch.length > 1 || last === undefined) break
      if (entries.length >= limits.maxReviewEntries) {
        this.summary.unreadAccesses += Math.max(0, (batch[0]?.entries ?? 0) - entries.length)
        break
      }
      const at = parts.findIndex(({ log }) => log === last.log)
      parts = parts.slice(at).map((part, i) => (i === 0 ? { ...part, first: last.idx + 1 } : part))
    }
    this.summary.accesses += entries.length
    return entries.filter(({ role }) => !isAdministrative(role))
  }

  async #facts(entries: readonly AccessEntry[]): Promise<Facts> {
    const facts = await readFacts(this.#request.read, entries, this.#request.month)
    this.summary.isFactsCut ||= facts.isCut
    return facts
  }

  #judge(own: ProfessionalMonth, facts: Facts): readonly Found[] {
    const { rules, month, now, organisation } = this.#request
    this.summary.professionals++
    const volume = rules.volume && volumeOf(own, rules.volume)
    if (volume) this.#volumes.push(volume)
    const broken =
      rules['break-glass-without-follow-up'] &&
      breakGlassWithoutFollowUp(own, facts, rules['break-glass-without-follow-up'], now)
    this.summary.notYetDue += broken?.notYetDue ?? 0
    const judged = <T>(thresholds: T | undefined, rule: (thresholds: T) => readonly Found[]) =>
      thresholds === undefined ? [] : rule(thresholds)
    const watched = judged(rules['watch-list'], (of) => watchList(own, facts, of))
    return [
      ...(broken?.findings ?? []),
      ...judged(rules['own-record'], (of) => ownRecord(own, facts, of)),
      ...judged(rules['same-family-or-address'], (of) => sameFamilyOrAddress(own, facts, of)),
      ...judged(rules.colleague, (of) => colleague(own, facts, of)),
      ...judged(rules['attestation-only'], (of) => attestationOnly(own, facts, of)),
      ...judged(rules['fresh-relationship'], (of) => freshRelationship(own, facts, of)),
      ...judged(rules['unusual-hours'], (of) => unusualHours(own, facts, of)),
      ...judged(rules['look-up-without-read'], (of) => lookUpWithoutRead(own, month, of)),
      ...(organisation === null ? watched : watched.map(withoutReason)),
    ]
  }

  /** Of findings about no one patient: what was decided about these professionals. */
  async #decisionsOn(page: readonly Found[]): Promise<Facts> {
    const professionals = new Set(page.map(({ professional }) => professional))
    return await this.#facts(
      this.#volumes
        .flatMap(({ first }) => first.slice(0, 1))
        .filter((one) => professionals.has(one.practitioner)),
    )
  }

  #told(all: readonly Found[], facts: Facts): readonly Finding[] {
    const { month, now } = this.#request
    const today = new Date(now).toISOString().slice(0, 10)
    const findings: Finding[] = []
    for (const one of all) {
      const decisions = decisionsOf(one, facts)
      if ((decisions[0]?.mutedUntil ?? '') > today) {
        this.summary.muted++
        continue
      }
      this.summary.findings++
      if (this.summary.findings > limits.maxReviewFindings) {
        this.summary.untold++
        continue
      }
      findings.push({
        ...one,
        id: findingId(month.name, one),
        sourceRecord: one.patient === null ? null : (facts.patients.get(one.patient)?.sourceRecord ?? null),
        decisions: decisions.slice(0, limits.maxFindingDecisions),
      })
    }
    return findings
  }
}

/** On the same pattern: rule and professional and, of a finding about a patient, the person. */
function decisionsOf({ rule, professional, patient }: Found, facts: Facts): readonly PastDecision[] {
  const person = patient === null ? '' : facts.patients.get(patient)?.person
  return facts.decisions.filter(
    (one) => one.rule === rule && one.professional === professional && one.person === person,
  )
}
