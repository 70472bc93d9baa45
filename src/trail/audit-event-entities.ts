/** What an access was about, as entities of an AuditEvent: the patient, the object or the request, what was disclosed. */
import type { Access } from '../audit/port.ts'
import type { EventKind } from './audit-event-actions.ts'
import { identified, resourceOf, told } from './audit-event-elements.ts'
import { type AuditEventEntity, type Reference, resourceType, terms, uriSystem } from './audit-event-types.ts'

export function entitiesOf(access: Access, kind: EventKind, origin: string): AuditEventEntity[] {
  const { resources } = access
  const patient = told(access.patient)
  const [only] = resources
  const isOne = kind.object === 'data' && resources.length === 1 && only !== undefined
  const target =
    kind.object === 'query'
      ? queryOf(access)
      : [dataOf(isOne ? resourceOf(only).what : pathOf(access, origin))]
  return [
    ...(patient === null ? [] : [patientOf(patient, origin)]),
    ...target,
    ...(isOne ? [] : resources.filter((resource) => told(resource) !== null).map(disclosedOf)),
    requestOf(access),
  ]
}

/** By person id: the record's own, which no `Patient` of a facility has. */
export const patientOf = (person: string, origin: string): AuditEventEntity => ({
  what: identified(`${origin}/registry/person`, person, 'Patient'),
  type: terms.person,
  role: terms.patientRole,
})

const dataOf = (what: Reference): AuditEventEntity => ({
  what,
  type: terms.systemObject,
  role: terms.domainResource,
})

/** What several resources, or none, were asked for by. */
const pathOf = ({ query }: Access, origin: string): Reference => ({
  identifier: { system: uriSystem, value: `${origin}${query.path}` },
})

/** The request as received, also where it was malformed. An entry that stands for many requests has none. */
const queryOf = ({ query: { method, text } }: Access): AuditEventEntity[] =>
  text === ''
    ? []
    : [
        {
          type: terms.systemObject,
          role: terms.queryRole,
          query: Buffer.from(`${method} ${text}`).toString('base64'),
        },
      ]

/** Of its own type: of `System Object` BALP wants one, what was asked for. */
function disclosedOf(resource: string): AuditEventEntity {
  const { what, type } = resourceOf(resource)
  return { what, type: resourceType(type ?? 'Resource'), role: terms.domainResource }
}

/** The client's `X-Request-Id`, else the record's, which the answer carries; with it, what else the entry says. */
function requestOf({ requestId, clientRequestId, part, parts, note }: Access): AuditEventEntity {
  const notes = Object.entries(note ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const facts = [
    ['request-id', requestId],
    ...(parts > 1 ? [['part', `${part}/${parts}`]] : []),
    ...notes,
  ] as const
  return {
    what: { identifier: { value: told(clientRequestId) ?? requestId } },
    type: terms.requestId,
    detail: facts.flatMap(([type = '', valueString = '']) =>
      told(type) === null || told(valueString) === null ? [] : [{ type, valueString }],
    ),
  }
}
