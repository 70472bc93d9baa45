/** The rules of the monthly review, as the policy's rows have them: which are looked at, and past which numbers. */
import * as z from 'zod'
import { limits } from '../../limits.ts'
import type { Rows, Statement } from '../../store/ports.ts'
import { boolean } from '../../store/rows.ts'

const count = z.int().min(1).max(limits.maxReviewThreshold)
const countOrNone = z.int().min(0).max(limits.maxReviewThreshold)
const flag = z.int().min(0).max(1)
const hour = z.int().min(0).max(23)
const words = z.array(z.string().min(1).max(limits.maxRegistryNameLength)).max(limits.maxReviewList)

/** Every rule, with the form of its thresholds; what each means stands beside the rule. */
export const thresholdShapes = {
  'break-glass-without-follow-up': z.strictObject({
    days: z.int().min(1).max(limits.maxFollowUpDays),
    hoursBefore: z
      .int()
      .min(0)
      .max(limits.maxFollowUpDays * 24),
  }),
  'own-record': z.strictObject({ possible: flag }),
  'same-family-or-address': z.strictObject({ minAccesses: count, commonFamilies: words }),
  colleague: z.strictObject({ possible: flag, minAccesses: count }),
  'attestation-only': z.strictObject({ minReads: count }),
  'fresh-relationship': z.strictObject({ minutes: count, startedHours: count, maxDocuments: countOrNone }),
  volume: z.strictObject({ factor: z.number().min(0).max(1_000), minGroup: count, minPatients: count }),
  'unusual-hours': z.strictObject({
    nightFrom: hour,
    nightTo: hour,
    dayTypes: words,
    minAccesses: count,
    minTotal: count,
    maxShare: z.number().min(0).max(1),
  }),
  'look-up-without-read': z.strictObject({ hours: count, minLookUps: count }),
  'watch-list': z.strictObject({ minAccesses: count }),
} as const

export type RuleName = keyof typeof thresholdShapes
export type Thresholds = { readonly [Name in RuleName]: z.infer<(typeof thresholdShapes)[Name]> }

export const ruleNames = Object.keys(thresholdShapes) as [RuleName, ...RuleName[]]

/** Those that are looked at; the others are absent. */
export type Rules = Partial<Thresholds>

export const rulesStatement: Statement = {
  sql: 'select name, enabled, thresholds from review_rule where valid_to is null order by row',
}

/**
 * @param rows of `rulesStatement`
 * @param asked null: every rule
 * @throws when a row was written by hand and does not have its form
 */
export const rulesOf = (rows: Rows, asked: readonly string[] | null): Rules =>
  Object.fromEntries(
    rows
      .filter(({ name, enabled }) => boolean(enabled) && (asked === null || asked.includes(String(name))))
      .map(({ name, thresholds }) => [
        String(name),
        thresholdShapes[name as RuleName].parse(JSON.parse(String(thresholds))),
      ]),
  ) as Rules
