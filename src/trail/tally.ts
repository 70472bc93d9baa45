/** Counting accesses by who made them. */
import { limits } from '../limits.ts'
import type { CountedEntry } from './counted-entries.ts'
import { DistinctPairs } from './distinct-pairs.ts'

/** What a line is about; members are null where the line is about all of them. */
export interface AccountKey {
  readonly organisation: string | null
  /** Registry id; null also: a facility's system. */
  readonly professional: string | null
  readonly name: string | null
  readonly role: string | null
  readonly facility: string | null
  /** Person id. */
  readonly patient: string | null
}

export interface CountedLine extends AccountKey {
  readonly accesses: number
  /** Distinct ones that were disclosed; null: more than a count tells apart, or a line about one. */
  readonly patients: number | null
  readonly permits: number
  readonly denies: number
  /** Answers that failed. */
  readonly errors: number
  /** Permitted, under a declared emergency; the declaration is one of them. */
  readonly emergencies: number
  /** Relationships of care that were attested. */
  readonly attestations: number
  readonly actions: Readonly<Record<string, number>>
  /** `none`: the token stated none. */
  readonly purposes: Readonly<Record<string, number>>
}

interface Group {
  readonly key: AccountKey
  readonly number: number
  accesses: number
  patients: number
  permits: number
  denies: number
  errors: number
  emergencies: number
  attestations: number
  readonly actions: Map<string, number>
  readonly purposes: Map<string, number>
}

export class Tally {
  readonly #groups = new Map<string, Group>()
  readonly #pairs: DistinctPairs
  readonly #maxLines: number

  /** Past `maxLines` a count throws. */
  constructor({
    maxLines = limits.maxCountedGroups,
    pairs = new DistinctPairs(),
  }: { readonly maxLines?: number; readonly pairs?: DistinctPairs } = {}) {
    this.#maxLines = maxLines
    this.#pairs = pairs
  }

  /** One access. The line keeps the name it was met with first. */
  count(key: AccountKey, { outcome, action, operation, purpose, isEmergency }: CountedEntry): void {
    const group = this.#groupOf(key)
    group.accesses += 1
    if (outcome === 'permit') group.permits += 1
    else if (outcome === 'deny') group.denies += 1
    else group.errors += 1
    if (outcome === 'permit' && isEmergency) group.emergencies += 1
    if (outcome === 'permit' && operation === 'attest') group.attestations += 1
    increment(group.actions, action)
    increment(group.purposes, purpose ?? 'none')
  }

  /** That something about this patient was disclosed to whom the line is about. */
  meet(key: AccountKey, patient: string): void {
    const group = this.#groupOf(key)
    if (this.#pairs.add(`${group.number} ${patient}`)) group.patients += 1
  }

  /** Ids of the professionals there are lines about. */
  professionals(): readonly string[] {
    return [...new Set([...this.#groups.values()].flatMap(({ key }) => key.professional ?? []))].sort()
  }

  /** In the order of their texts, so that a second count of the same entries gives the same file. */
  *lines(): Generator<CountedLine> {
    for (const name of [...this.#groups.keys()].sort()) {
      const { key, number: _, actions, purposes, patients, ...counts } = this.#groups.get(name) as Group
      yield {
        ...key,
        ...counts,
        patients: this.#pairs.isFull || key.patient !== null ? null : patients,
        actions: sorted(actions),
        purposes: sorted(purposes),
      }
    }
  }

  #groupOf(key: AccountKey): Group {
    const { organisation, professional, role, facility, patient } = key
    const name = JSON.stringify([organisation, professional, role, facility, patient])
    const found = this.#groups.get(name)
    if (found) return found
    if (this.#groups.size >= this.#maxLines)
      throw new Error('a count of more lines than are kept: ask for less')
    const made: Group = {
      key,
      number: this.#groups.size,
      accesses: 0,
      patients: 0,
      permits: 0,
      denies: 0,
      errors: 0,
      emergencies: 0,
      attestations: 0,
      actions: new Map(),
      purposes: new Map(),
    }
    this.#groups.set(name, made)
    return made
  }
}

const increment = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
