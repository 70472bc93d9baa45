/** `POST /fhir/Consent` and `PUT /fhir/Consent/[id]`: the only way into the register of refusals and restrictions. */
import type * as z from 'zod'
import type { Caller } from '../access/caller.ts'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext, Writers } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { isObject, parseJson } from '../fhir/json.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import { type Row, type Rows, StoreError } from '../store/ports.ts'
import { firstRow, texts } from '../store/rows.ts'
import { newId } from './answer.ts'
import {
  answerWith,
  consentId,
  consentPath,
  isRegistrant,
  ownConsent,
  type Registrant,
} from './consent-answer.ts'
import { actorsOf, checkConsent, tooMany } from './consent-checks.ts'
import { readConsent } from './consent-reading.ts'
import type { ConsentContent } from './consent-resource.ts'
import {
  consentCount,
  createConsent,
  createdConsent,
  currentConsent,
  guardiansOf,
  type Recording,
  replaceConsent,
  replacedConsent,
  storedConsent,
  unknownActors,
} from './consent-sql.ts'
import { noInput } from './fields.ts'
import { decideKeeper, organisationsOf } from './keeper.ts'
import { addNotice, type When } from './notice-rows.ts'
import { invalid } from './refusals.ts'

const bodyTypes = ['application/fhir+json', 'application/json']

export const createConsentOperation: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  name: 'consent-create',
  method: 'POST',
  path: '/fhir/Consent',
  action: 'create',
  callers: ['patient', 'guardian', 'privacy-officer'],
  scope: () => ({ type: 'Consent', interaction: 'c' }),
  param: noInput,
  query: noInput,
  bodyTypes,
  handle: create,
}

export const updateConsentOperation: Operation<z.infer<typeof consentId>, z.infer<typeof noInput>> = {
  name: 'consent-update',
  method: 'PUT',
  path: consentPath,
  action: 'update',
  callers: ['patient', 'guardian', 'privacy-officer'],
  scope: () => ({ type: 'Consent', interaction: 'u' }),
  param: consentId,
  query: noInput,
  bodyTypes,
  conditions: ['If-Match'],
  handle: update,
}

type Context<Param> = OperationContext<Param, z.infer<typeof noInput>>

async function create(ctx: Context<z.infer<typeof noInput>>): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const sent = await readBody(ctx)
  if (!sent.ok) return sent
  const { content } = sent.value
  if (content.status !== 'active')
    return invalid(
      'Consent.status',
      'Consent.status : un nouveau refus est `active`.',
      'Consent.status: a new refusal is `active`.',
    )
  const judged = await judge(ctx, content, null)
  if (!judged.ok) return judged
  const { caller, person, consents } = judged.value
  if (consents >= limits.maxPersonConsents)
    return err({
      reason: 'invalid',
      issues: [
        tooMany('Consent', limits.maxPersonConsents, 'refus et restrictions', 'refusals and restrictions'),
      ],
    })

  const intended = await ctx.intend({ patient: person, kind: content.scope.kind })
  if (!intended.ok) return intended
  const recording = recordingOf(ctx, caller, newId(), content)
  const { rows, clock } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: [content.patient],
    statements: [
      ...createConsent(recording),
      ...notify(ctx, caller, recording, 'recorded', {
        sql: 'exists (select 1 from consent where id = :created)',
        args: { created: recording.id },
      }),
    ],
    outcome: [createdConsent(recording)],
  })
  const stored = storedConsent(rowOf(rows[0]))
  const isNew = stored.id === recording.id
  return ok(answerWith(ctx, stored, person, caller.kind, isNew ? 201 : 200, clock))
}

async function update(ctx: Context<z.infer<typeof consentId>>): Promise<Result<Disclosure, Refusal>> {
  const { id } = ctx.param
  const loaded = await ctx.load(() => ({ records: [currentConsent(id)] }))
  if (!loaded.ok) return loaded
  const current = ownConsent(loaded.value.caller, loaded.value.records[0])
  if (!current) return err({ reason: 'not-found', what: `Consent/${id}` })
  if (!mayReplace(loaded.value.caller, firstRow(loaded.value.records[0])))
    return forbidden('not-own-organisation', current.person)
  const sent = await readBody(ctx)
  if (!sent.ok) return sent
  const { content, bodyId } = sent.value
  if (bodyId !== id)
    return invalid(
      'Consent.id',
      'Consent.id : attend l’id de l’adresse.',
      'Consent.id: expects the id of the address.',
    )
  if (content.patient !== current.sourceRecord)
    return invalid(
      'Consent.patient',
      `Consent.patient : reste Patient/${current.sourceRecord}.`,
      `Consent.patient: stays Patient/${current.sourceRecord}.`,
    )
  if (current.version >= limits.maxConsentVersions)
    return err({
      reason: 'invalid',
      issues: [tooMany('Consent', limits.maxConsentVersions, 'versions d’un refus', 'versions of a refusal')],
    })
  const judged = await judge(ctx, content, id)
  if (!judged.ok) return judged
  const { caller, person } = judged.value
  const named = ctx.ifMatch === null ? null : versionsOf(ctx.ifMatch)
  // What was judged is what is replaced, not what somebody else has recorded meanwhile.
  const isBound = caller.kind === 'privacy-officer' && caller.organisation !== null
  const expected = isBound
    ? (named ?? [current.version]).filter((version) => version === current.version)
    : named

  const intended = await ctx.intend({ patient: person, consent: id, status: content.status })
  if (!intended.ok) return intended
  return await replace(ctx, intended.value, recordingOf(ctx, caller, id, content), {
    caller,
    person,
    expected,
  })
}

/**
 * Any facility can come to know a person by publishing a `Patient`: the officer of one organisation changes only what its
 * own officers recorded, never what the patient, a guardian or another office did.
 */
const mayReplace = (caller: Caller, row: Row | null): boolean =>
  caller.kind !== 'privacy-officer' ||
  caller.organisation === null ||
  (JSON.parse(String(row?.recorders ?? '[]')) as string[]).includes(caller.organisation)

async function replace(
  ctx: Context<unknown>,
  writers: Writers,
  recording: Recording,
  how: { readonly caller: Registrant; readonly person: string; readonly expected: readonly number[] | null },
): Promise<Result<Disclosure, Refusal>> {
  const { id, content } = recording
  const change = content.status === 'active' ? 'changed' : 'cancelled'
  try {
    const { rows, clock } = await writeBatch(writers.records, {
      key: ctx.requestId,
      sources: [content.patient],
      statements: [...replaceConsent(recording, how.expected), ...notify(ctx, how.caller, recording, change)],
      outcome: [replacedConsent(id, ctx.requestId)],
    })
    return ok(answerWith(ctx, storedConsent(rowOf(rows[0])), how.person, how.caller.kind, 200, clock))
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'constraint' || !error.message.includes('conflict'))
      throw error
    return err({ reason: 'precondition-failed', what: `Consent/${id}` })
  }
}

async function readBody(
  ctx: Context<unknown>,
): Promise<Result<{ readonly content: ConsentContent; readonly bodyId: unknown }, Refusal>> {
  const text = await ctx.body()
  if (!text.ok) return text
  const parsed = parseJson(text.value)
  if (!parsed.ok) return err({ reason: 'invalid', issues: [parsed.error] })
  const content = readConsent(parsed.value)
  if (!content.ok) return err({ reason: 'invalid', issues: content.error })
  return ok({ content: content.value, bodyId: isObject(parsed.value) ? parsed.value.id : undefined })
}

interface Judged {
  readonly caller: Registrant
  readonly person: string
  /** How many consents the person has. */
  readonly consents: number
}

/** Whether the caller may record this about the person it names. @param replaced the consent it takes the place of */
async function judge(
  ctx: Context<unknown>,
  content: ConsentContent,
  replaced: string | null,
): Promise<Result<Judged, Refusal>> {
  const source = content.patient
  const loaded = await ctx.load(() => ({
    subject: { by: 'patient', id: source },
    records: [
      organisationsOf(source),
      guardiansOf(source),
      unknownActors(source, actorsOf(content.scope)),
      consentCount(source),
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, subjects, records } = loaded.value
  if (!isRegistrant(caller)) return forbidden('operation-not-for-caller')
  const [subject] = subjects
  const person = decideKeeper(caller, subject?.person ?? null, texts(records[0], 'organisation'))
  if (!person.ok) return person
  const issues = checkConsent(content, {
    capacity: caller.kind,
    now: ctx.now,
    ofPerson: subject?.sourceRecords ?? [],
    ofGuardians: texts(records[1], 'guardian'),
    unknownActors: (records[2] ?? []).map(({ position }) => Number(position)),
    otherRules: subject?.rules.filter(({ consent }) => consent !== replaced).length ?? 0,
  })
  if (issues.length > 0) return err({ reason: 'invalid', issues })
  return ok({ caller, person: person.value, consents: Number(firstRow(records[3])?.consents) })
}

function recordingOf(
  { now, presented }: Context<unknown>,
  caller: Registrant,
  id: string,
  content: ConsentContent,
): Recording {
  const recordedAt = new Date(now).toISOString()
  // Whoever records their own wish here does it online.
  const means = content.means ?? 'online'
  return {
    id,
    content: { ...content, means, dateTime: content.dateTime ?? recordedAt },
    recordedAt,
    recordedBy: recorderOf(caller),
    capacity: caller.kind,
    means,
    system: presented.clientId,
  }
}

function recorderOf(caller: Registrant): string {
  switch (caller.kind) {
    case 'patient':
      return caller.person
    case 'guardian':
      return caller.guardian
    case 'privacy-officer':
      return caller.professional
  }
}

/** Nobody is told of what they did themselves. */
const notify = (
  { now }: Context<unknown>,
  caller: Registrant,
  { id, content }: Recording,
  change: 'recorded' | 'changed' | 'cancelled',
  when?: When,
) =>
  caller.kind === 'patient'
    ? []
    : [
        addNotice(
          newId(),
          content.patient,
          new Date(now).toISOString(),
          { kind: 'consent', change, capacity: caller.kind, name: caller.name, consent: id },
          when,
        ),
      ]

/** Entity tags of a list (RFC 9110 §13.1.1); `*` stands for any version: null. */
const versionsOf = (ifMatch: string): readonly number[] | null =>
  ifMatch.trim() === '*' ? null : [...ifMatch.matchAll(/"(\d{1,9})"/g)].map(([, version]) => Number(version))

/** @throws Error when the batch that wrote the row does not show it. */
function rowOf(rows: Rows | undefined): Row {
  const row = firstRow(rows)
  if (!row) throw new Error('a consent just written is not there')
  return row
}
