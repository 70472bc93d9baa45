/** What a rule found, and under which id it is decided about. */
import { digest } from '../../fhir/digest.ts'
import { limits } from '../../limits.ts'
import type { AccessEntry } from './entries.ts'
import type { RuleName } from './rules.ts'

export interface Found {
  readonly rule: RuleName
  readonly professional: string
  readonly name: string
  /** Person id, as the log has it; null: it is about many. */
  readonly patient: string | null
  /** What was counted, and `possible: 1` where a name is all that speaks for it. */
  readonly numbers: Readonly<Record<string, number | string>>
  /** `log/index`, the first of them. */
  readonly entries: readonly string[]
  /** How many entries there are. */
  readonly entryCount: number
}

/** @param entries those that speak for it */
export const found = (
  rule: RuleName,
  entries: readonly AccessEntry[],
  patient: string | null,
  numbers: Found['numbers'] = {},
): Found => ({
  rule,
  professional: entries[0]?.practitioner ?? '',
  name: entries[0]?.name ?? '',
  patient,
  numbers: { accesses: entries.length, ...numbers },
  entries: entries.slice(0, limits.maxFindingEntries).map(({ log, idx }) => `${log}/${idx}`),
  entryCount: entries.length,
})

/** The same whenever the month is reviewed again. */
export const findingId = (
  month: string,
  { rule, professional, patient }: Pick<Found, 'rule' | 'professional' | 'patient'>,
): string => digest(JSON.stringify([month, rule, professional, patient ?? '']))
