/**
 * What the register of confidentiality incidents holds (R-22.1, r. 1, s. 15, r. 3.1, s. 7 names the same), and when an
 * incident may be closed. Pure.
 */
import * as z from 'zod'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { entryText, fhirId, registryId, told } from './fields.ts'
import { prose } from './question-terms.ts'

const brief = prose(limits.maxIncidentTextLength)

/** `YYYY-MM-DD` */
const day = z.iso.date()

/** Days, both included; without `to` one day. */
const period = z
  .strictObject({ from: day, to: day.optional(), approximate: z.boolean().default(false) })
  .refine(({ from, to }) => to === undefined || from <= to, {
    path: ['to'],
    ...told('précède from', 'is before from'),
  })

/** The numbers of the section are beside each. */
const register = {
  /** 1: the information concerned, or why it cannot be described. */
  information: brief.optional(),
  informationUnknown: brief.optional(),
  /** 2 */
  circumstances: brief,
  /** 3 */
  occurred: period,
  /** 4: when the body became aware of it. */
  aware: period,
  /** 5 */
  persons: z.strictObject({
    count: z.int().min(0).max(limits.maxIncidentPersons),
    approximate: z.boolean().default(false),
  }),
  /** 6: whether there is a risk of serious injury, and what leads to that conclusion. */
  risk: z.strictObject({ serious: z.boolean(), elements: brief }).optional(),
  /** 7: when notices were sent; and, where a public notice was given, when and why. */
  notices: z
    .strictObject({
      minister: day.optional(),
      commission: day.optional(),
      persons: day.optional(),
      public: z.strictObject({ given: day, reason: brief }).optional(),
    })
    .default({}),
  /** 8: what was done to reduce the risk. */
  measures: brief.optional(),
} as const

const registerShape = z.strictObject(register)
export type Register = z.infer<typeof registerShape>

/** What it was made from: a question, an item of the review queue, or a finding of the monthly review by its name. */
const origin = z
  .strictObject({ question: fhirId.optional(), review: fhirId.optional(), finding: entryText.optional() })
  .refine(
    (of) => Object.values(of).filter((value) => value !== undefined).length === 1,
    told('nomme une seule origine', 'names exactly one origin'),
  )

export const incidentShape = z.strictObject({
  from: origin.optional(),
  /** Whose it is; for officers of the whole record. */
  organisation: registryId.optional(),
  ...register,
})

export const incidentVersionShape = z.strictObject({
  /** Number of the version that this one follows. */
  version: z.int().min(1),
  status: z.enum(['open', 'closed']),
  ...register,
})

/** @param today `YYYY-MM-DD` */
export function checkRegister(of: Register, status: 'open' | 'closed', today: string): readonly Issue[] {
  return [
    ...checkInformation(of),
    ...checkDays(of, today),
    ...(status === 'closed' ? missingForClosing(of) : []),
  ]
}

const issue = (code: 'value' | 'required', expression: string, fr: string, en: string): Issue => ({
  code,
  expression,
  text: { fr: `${expression} ${fr}.`, en: `${expression} ${en}.` },
})

const required = (expression: string): Issue =>
  issue('required', expression, 'est requis pour clore l’incident', 'is required to close the incident')

const checkInformation = ({ information, informationUnknown }: Register): readonly Issue[] =>
  (information === undefined) === (informationUnknown === undefined)
    ? [
        issue(
          'value',
          'information',
          'ou informationUnknown : l’un des deux, et un seul',
          'or informationUnknown: one of the two, and only one',
        ),
      ]
    : []

function checkDays({ occurred, aware, notices }: Register, today: string): readonly Issue[] {
  const days: readonly (readonly [string, string | undefined])[] = [
    ['occurred.to', occurred.to ?? occurred.from],
    ['aware.to', aware.to ?? aware.from],
    ['notices.minister', notices.minister],
    ['notices.commission', notices.commission],
    ['notices.persons', notices.persons],
    ['notices.public.given', notices.public?.given],
  ]
  const future = days.flatMap(([name, on]) =>
    on !== undefined && on > today ? [issue('value', name, 'est à venir', 'is in the future')] : [],
  )
  const early = days
    .slice(2)
    .flatMap(([name, on]) =>
      on !== undefined && on < aware.from
        ? [issue('value', name, 'précède la connaissance de l’incident', 'is before the incident was known')]
        : [],
    )
  const known =
    (aware.to ?? aware.from) < occurred.from
      ? [issue('value', 'aware.from', 'précède l’incident', 'is before the incident')]
      : []
  return [...future, ...early, ...known]
}

/** A risk of serious injury is notified to the Minister, the Commission and the persons (R-22.1, s. 108). */
function missingForClosing({ risk, notices, measures }: Register): readonly Issue[] {
  const missing = [...(risk === undefined ? ['risk'] : []), ...(measures === undefined ? ['measures'] : [])]
  if (risk?.serious) {
    if (notices.minister === undefined) missing.push('notices.minister')
    if (notices.commission === undefined) missing.push('notices.commission')
    if (notices.persons === undefined && notices.public === undefined) missing.push('notices.persons')
  }
  return missing.map(required)
}
