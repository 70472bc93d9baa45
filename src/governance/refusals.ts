/** Refusals of the operations of `/access`, with what is told about the member at fault. */
import type { Refusal } from '../disclosure/refusal.ts'
import { err, type Result } from '../result.ts'

export const invalid = (expression: string, fr: string, en: string): Result<never, Refusal> =>
  err({ reason: 'invalid', issues: [{ code: 'value', expression, text: { fr, en } }] })

/** The change contradicts what is registered; nothing was changed. */
export const conflict = (expression: string, fr: string, en: string): Result<never, Refusal> =>
  err({ reason: 'conflict', issues: [{ code: 'conflict', expression, text: { fr, en } }] })

/** A member names what the registry does not know. */
export const unknown = (expression: string): Result<never, Refusal> =>
  err({
    reason: 'invalid',
    issues: [
      {
        code: 'not-found',
        expression,
        text: {
          fr: `${expression} : le registre ne le connaît pas.`,
          en: `${expression}: the registry does not know it.`,
        },
      },
    ],
  })

/** What is to be ended was never registered. */
export const neverRegistered = (expression: string): Result<never, Refusal> =>
  err({
    reason: 'not-found',
    what: expression,
    issues: [
      {
        code: 'not-found',
        expression,
        text: { fr: `${expression} : jamais inscrit.`, en: `${expression}: never registered.` },
      },
    ],
  })
