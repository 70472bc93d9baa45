/**
 * `POST /audit/incidents` and `POST /audit/incidents/{id}`: an officer enters an incident in the register, from nothing or from a
 * question, a review item or a finding, and adds versions. Nothing is overwritten, and nothing goes.
 */
import * as z from 'zod'
import { todayInQuebec } from '../access/age.ts'
import type { Caller } from '../access/caller.ts'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import { type Rows, type Statement, StoreError } from '../store/ports.ts'
import { firstRow } from '../store/rows.ts'
import { answer, newId } from './answer.ts'
import { readChange } from './body.ts'
import { fhirId, type noInput } from './fields.ts'
import {
  addIncident,
  addVersion,
  incidentStatement,
  type StoredIncident,
  storedIncident,
} from './incident-sql.ts'
import { checkRegister, incidentShape, incidentVersionShape } from './incident-terms.ts'
import { changeShape } from './operation-shape.ts'
import { isSame } from './question-ask.ts'
import { questionStatement } from './question-sql.ts'
import { isOwnAccess } from './question-terms.ts'
import { conflict, unknown } from './refusals.ts'

export type Officer = Extract<Caller, { kind: 'privacy-officer' }>

export const incidentId = z.strictObject({ id: fhirId })

type OpenContext = OperationContext<z.infer<typeof noInput>, z.infer<typeof noInput>>
type ReviseContext = OperationContext<z.infer<typeof incidentId>, z.infer<typeof noInput>>

export const openIncident: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  ...changeShape,
  name: 'incident-open',
  path: '/audit/incidents',
  callers: ['privacy-officer'],
  bodies: [incidentShape],
  handle: open,
}

export const reviseIncident: Operation<z.infer<typeof incidentId>, z.infer<typeof noInput>> = {
  ...changeShape,
  name: 'incident-revise',
  path: '/audit/incidents/:id',
  callers: ['privacy-officer'],
  param: incidentId,
  bodies: [incidentVersionShape],
  handle: revise,
}

async function open(ctx: OpenContext): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const { caller } = permitted.value
  if (caller.kind !== 'privacy-officer') return forbidden('operation-not-for-caller')
  const fields = await readChange(ctx, incidentShape)
  if (!fields.ok) return fields
  const { from, organisation: named, ...register } = fields.value
  const issues = checkRegister(register, 'open', todayInQuebec(ctx.now))
  if (issues.length > 0) return err({ reason: 'invalid', issues })
  if (caller.organisation !== null && named !== undefined && named !== caller.organisation)
    return forbidden('not-own-organisation')
  const found = await findOrigin(ctx, caller, from ?? {}, named ?? null)
  if (!found.ok) return found
  const { kind, id: origin, sourceRecord, person } = found.value
  const organisation = caller.organisation ?? named ?? found.value.organisation

  const id = newId()
  const at = new Date(ctx.now).toISOString()
  const note = { incident: id, ...(kind === '' ? {} : { [kind]: origin }) }
  const intended = await ctx.intend(note)
  if (!intended.ok) return intended
  const by = caller.professional
  const { clock } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: sourceRecord === '' ? [] : [sourceRecord],
    statements: [
      addIncident({ id, organisation, originKind: kind, origin, sourceRecord, at, by }),
      ...addVersion({ incident: id, version: 1, status: 'open', register, at, by }),
    ],
    outcome: [],
  })
  const persons = person === null ? [] : [person]
  return ok({ ...answer(201, { id, version: 1, status: 'open', at }, persons, caller.kind, clock), note })
}

interface Origin {
  readonly kind: StoredIncident['originKind']
  readonly id: string
  readonly sourceRecord: string
  readonly person: string | null
  readonly organisation: string
}

type Named = NonNullable<z.infer<typeof incidentShape>['from']>

/** What is not there, and what is another organisation's, is one answer. @param organisation that the incident names */
async function findOrigin(
  ctx: OpenContext,
  officer: Officer,
  named: Named,
  organisation: string | null,
): Promise<Result<Origin, Refusal>> {
  const loaded = await ctx.load(() => ({
    records: [organisationKnown(organisation), originStatement(named)],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (!isSame(caller, officer)) return forbidden('not-own-organisation')
  if (organisation !== null && firstRow(records[0]) === null) return unknown('organisation')
  const { finding } = named
  if (finding !== undefined) return ok({ ...nowhere, kind: 'finding', id: finding })
  const kind = named.question !== undefined ? 'question' : named.review !== undefined ? 'review' : ''
  if (kind === '') return ok(nowhere)
  return decideOrigin(ctx, officer, kind, named[kind] ?? '', records[1])
}

const nowhere: Origin = { kind: '', id: '', sourceRecord: '', person: null, organisation: '' }

const organisationKnown = (organisation: string | null): Statement => ({
  sql: 'select id from organisation where id = :organisation and valid_to is null',
  args: { organisation },
})

const originStatement = ({ question, review = '' }: Named): Statement =>
  question !== undefined
    ? questionStatement(question)
    : {
        sql: `
          select i.organisation, i.professional, '' as issuer, '' as subject, i.source_record, s.person
          from review_item as i left join source_record as s on s.id = i.source_record where i.id = :review`,
        args: { review },
      }

function decideOrigin(
  { presented }: OpenContext,
  officer: Officer,
  kind: 'question' | 'review',
  id: string,
  rows: Rows | undefined,
): Result<Origin, Refusal> {
  const row = firstRow(rows)
  const person = typeof row?.person === 'string' ? row.person : null
  const organisation = String(row?.organisation ?? '')
  if (row === null || (officer.organisation !== null && officer.organisation !== organisation))
    return err({
      reason: 'not-found',
      what: `${kind} ${id}`,
      ...(person === null ? {} : { patient: person }),
    })
  const accessor = {
    professional: String(row.professional),
    issuer: String(row.issuer),
    subject: String(row.subject),
  }
  const { issuer, subject } = presented
  // Nobody writes the register about what they did themselves.
  if (isOwnAccess(accessor, { professional: officer.professional, issuer, subject }))
    return forbidden('four-eyes', person ?? undefined)
  return ok({ kind, id, sourceRecord: String(row.source_record), person, organisation })
}

async function revise(ctx: ReviseContext): Promise<Result<Disclosure, Refusal>> {
  const { id } = ctx.param
  const loaded = await ctx.load(() => ({ records: [incidentStatement(id)] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind !== 'privacy-officer') return forbidden('operation-not-for-caller')
  const row = firstRow(records[0])
  const incident = row === null ? null : storedIncident(row)
  if (incident === null || !isOwn(caller, incident)) return err(notFound(id, incident))
  const fields = await readChange(ctx, incidentVersionShape)
  if (!fields.ok) return fields
  const { version, status, ...register } = fields.value
  const issues = checkRegister(register, status, todayInQuebec(ctx.now))
  if (issues.length > 0) return err({ reason: 'invalid', issues })
  if (version !== incident.version) return meanwhile
  if (version >= limits.maxIncidentVersions) return tooMany

  const note = { incident: id, version: String(version + 1), status }
  const intended = await ctx.intend(note)
  if (!intended.ok) return intended
  const at = new Date(ctx.now).toISOString()
  try {
    const { clock } = await writeBatch(intended.value.records, {
      key: ctx.requestId,
      sources: incident.sourceRecord === '' ? [] : [incident.sourceRecord],
      statements: addVersion({
        incident: id,
        version: version + 1,
        status,
        register,
        at,
        by: caller.professional,
      }),
      outcome: [],
    })
    const persons = incident.person === null ? [] : [incident.person]
    const body = { id, version: version + 1, status, at }
    return ok({ ...answer(200, body, persons, caller.kind, clock), note })
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'constraint') throw error
    return meanwhile
  }
}

export const isOwn = (officer: Officer, { organisation }: StoredIncident): boolean =>
  officer.organisation === null || officer.organisation === organisation

export const notFound = (id: string, incident: StoredIncident | null): Refusal => ({
  reason: 'not-found',
  what: `incident ${id}`,
  ...(incident?.person ? { patient: incident.person } : {}),
})

const meanwhile = conflict(
  'version',
  'version : n’est pas la version courante ; relisez l’incident.',
  'version: is not the current one; read the incident again.',
)

const tooMany = conflict(
  'version',
  `Cet incident a ${limits.maxIncidentVersions} versions.`,
  `This incident has ${limits.maxIncidentVersions} versions.`,
)
