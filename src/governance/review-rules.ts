/** `POST /audit/review/rules`: whether a rule of the monthly review is looked at, and past which numbers. */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { ok, type Result } from '../result.ts'
import { ruleNames, thresholdShapes } from '../trail/review/rules.ts'
import { readFields } from './body.ts'
import { officerOfRecord } from './keeper.ts'
import { changeShape } from './operation-shape.ts'
import { applyChange, changed, isBegun, readAsked, replaceRow } from './registry-change.ts'

const shape = z.strictObject({
  rule: z.enum(ruleNames),
  enabled: z.boolean(),
  /** All of the rule's. */
  thresholds: z.record(z.string(), z.unknown()),
})

export const changeReviewRule: Operation<object, object> = {
  ...changeShape,
  name: 'change-review-rule',
  path: '/audit/review/rules',
  callers: ['privacy-officer'],
  bodies: [shape],
  handle: change,
}

async function change(ctx: OperationContext<object, object>): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, shape)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const officer = officerOfRecord(caller)
  if (!officer.ok) return officer
  const ofRule = thresholdShapes[asked.rule]
  const body = { bodies: [ofRule], body: async () => ok(JSON.stringify(asked.thresholds)) }
  const thresholds = await readFields<unknown>(body, ofRule)
  if (!thresholds.ok) return thresholds
  const text = JSON.stringify(thresholds.value)
  const note = { change: 'review-rule', rule: asked.rule, enabled: String(asked.enabled), thresholds: text }
  const applied = await applyChange(ctx, {
    note,
    statements: replaceRow(
      'review_rule',
      { name: asked.rule },
      { enabled: asked.enabled ? 1 : 0, thresholds: text },
    ),
    outcome: {
      sql: 'select valid_from, valid_to from review_rule where name = :name and valid_to is null',
      args: { name: asked.rule },
    },
  })
  if (!applied.ok) return applied
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isBegun(applied.value),
      note,
      body: { rule: { ...asked, thresholds: thresholds.value } },
    }),
  )
}
