/** The life of a question: its states, who may bring which about, and what each takes. Pure. */
import * as z from 'zod'
import type { Caller } from '../access/caller.ts'
import { entryName as entryNamePattern } from '../audit/log-name.ts'
import { limits } from '../limits.ts'
import { reasonField, registryId, told } from './fields.ts'

export const states = ['received', 'in-review', 'referred', 'answered', 'closed', 'withdrawn'] as const
export type State = (typeof states)[number]

/** An answer is owed. */
export const openStates: readonly State[] = ['received', 'in-review', 'referred']

export const isOpen = (state: State): boolean => openStates.includes(state)

/** Of a request for correction. */
export const outcomes = ['accepted', 'partly-accepted', 'refused'] as const
export type Outcome = (typeof outcomes)[number]

export type QuestionKind = 'access' | 'correction'

/** Who asks, or does something with a question. */
export type Asking = Extract<Caller, { kind: 'patient' | 'guardian' | 'privacy-officer' }>

export const isAsking = (caller: Caller): caller is Asking =>
  caller.kind === 'patient' || caller.kind === 'guardian' || caller.kind === 'privacy-officer'

/** Paragraphs, as people write them; told as text, never as markup. */
const isProse = (value: string): boolean => value.isWellFormed() && !/[^\P{Cc}\t\r\n]/u.test(value)

export const prose = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(limits.minReasonLength)
    .max(maxLength)
    .refine(
      isProse,
      told(
        'ne doit contenir aucun caractère de commande, hormis les fins de ligne',
        'must hold no control character but line ends',
      ),
    )

const words = prose(limits.maxQuestionLength)

/** `<log>/<index>` */
const entryName = z.string().regex(entryNamePattern)

/** `Type/id` */
const documentName = z.string().regex(/^[A-Z][A-Za-z]{0,63}\/[A-Za-z0-9.-]{1,64}$/)

/** What is asked. */
export const askShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('access'), entry: entryName, text: words }),
  z.strictObject({ kind: z.literal('correction'), document: documentName, text: words }),
])

/** What an officer may do. A correction's answer says what became of it; an answer about an access has no outcome. */
export const officerStep = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('in-review') }),
  z
    .strictObject({
      state: z.literal('answered'),
      answer: words,
      outcome: z.enum(outcomes).optional(),
      reason: reasonField.optional(),
    })
    .refine(
      ({ outcome, reason }) => outcome === undefined || (outcome === 'accepted') === (reason === undefined),
      {
        path: ['reason'],
        ...told(
          'est requis pour ce qui n’est pas accepté, et pour rien d’autre',
          'is required for what is not accepted, and for nothing else',
        ),
      },
    ),
  z.strictObject({
    state: z.literal('referred'),
    /** Organisation whose officers take over; absent: those of the whole record. */
    to: registryId.optional(),
    reason: reasonField,
  }),
  z.strictObject({ state: z.literal('closed') }),
])
export type OfficerStep = z.infer<typeof officerStep>

/** What whoever asked may do: add to it, or take it back. */
export const askerStep = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('follow-up'), text: words }),
  z.strictObject({ state: z.literal('withdrawn') }),
])
export type AskerStep = z.infer<typeof askerStep>

/** States that an officer brings about from each. What was answered is taken up again only after a follow-up. */
const following: Readonly<Record<State, readonly State[]>> = {
  received: ['in-review', 'answered', 'referred'],
  'in-review': ['answered', 'referred'],
  referred: ['in-review', 'answered', 'referred'],
  answered: ['closed'],
  closed: [],
  withdrawn: [],
}

export const mayFollow = (from: State, to: State): boolean => following[from].includes(to)

/** The state after a follow-up: what had been answered is to be answered again. Null: it is over. */
export function afterFollowUp(from: State): State | null {
  if (from === 'answered') return 'received'
  return isOpen(from) ? from : null
}

/** @param from what may still be answered may be taken back */
export const mayWithdraw = (from: State): boolean => isOpen(from)

/** ISO 8601 UTC. @param at milliseconds since 1970 */
export const dueAfter = (at: number, days: number): string =>
  new Date(at + days * 24 * 60 * 60_000).toISOString()

/** An answer is owed, and late. @param due ISO 8601 UTC @param now milliseconds since 1970 */
export const isOverdue = (state: State, due: string, now: number): boolean =>
  isOpen(state) && due < new Date(now).toISOString()

/** What an event was, by who did it and the state after it. */
export function eventName(
  version: number,
  state: State,
  capacity: Asking['kind'],
): 'asked' | 'follow-up' | State {
  if (version === 1) return 'asked'
  return capacity === 'privacy-officer' || state === 'withdrawn' ? state : 'follow-up'
}

/** Who made the questioned access; the empty string: its entry does not say. */
export interface Accessor {
  readonly professional: string
  readonly issuer: string
  readonly subject: string
}

/** Whether the officer made the access: by what the registry knew them as, or by their login. */
export const isOwnAccess = ({ professional, issuer, subject }: Accessor, officer: Accessor): boolean =>
  (professional !== '' && professional === officer.professional) ||
  (subject !== '' && issuer === officer.issuer && subject === officer.subject)
