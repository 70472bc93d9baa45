/** What may be asked of a history: how much of it, and since when (R4 §3.1.0.13). */
import { z } from 'zod'
import { parseDate } from '../fhir/date.ts'
import { limits } from '../limits.ts'

export const historyQuery = z.strictObject({
  _count: z
    .string()
    .regex(/^[1-9]\d{0,5}$/)
    .optional(),
  /** Versions made at or after this time. */
  _since: z
    .string()
    .refine((text) => parseDate(text) !== null, {
      params: { fr: 'attend une date ou un instant', en: 'expects a date or an instant' },
    })
    .optional(),
  _cursor: z.string().max(limits.maxCursorLength).optional(),
})

export type HistoryQuery = z.infer<typeof historyQuery>

export interface HistorySpan {
  /** Instant, UTC; the empty string: ever. */
  readonly since: string
  /** Versions of a page. */
  readonly count: number
}

export const spanOf = ({ _count: count, _since: since }: HistoryQuery): HistorySpan => ({
  since: parseDate(since ?? '')?.lo ?? '',
  count: Math.min(Number(count ?? limits.defaultPageRows), limits.maxPageRows),
})
