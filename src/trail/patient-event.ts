/**
 * An AuditEvent as the patient whom it is about gets it: in plain words, and without what is somebody else's business
 * (address, token, issuer, subject, client, request). It names its entry, so that it can be proved and questioned. Pure.
 */
import type { ToldEntry } from '../audit/csv-columns.ts'
import { recordOf } from './audit-event-agents.ts'
import { codeable, identified, told } from './audit-event-elements.ts'
import { patientOf } from './audit-event-entities.ts'
import {
  type AuditEvent,
  type AuditEventAgent,
  type AuditEventEntity,
  type Reference,
  resourceType,
  roleSystem,
  terms,
} from './audit-event-types.ts'
import { type Language, narrativeOf, type PlaceNames, plainWords, roleWords, typeOf } from './plain-words.ts'

export interface PatientEvent
  extends Pick<
    AuditEvent,
    | 'resourceType'
    | 'id'
    | 'extension'
    | 'type'
    | 'subtype'
    | 'action'
    | 'recorded'
    | 'outcome'
    | 'agent'
    | 'source'
    | 'entity'
  > {
  readonly language: Language
  readonly text: { readonly status: 'generated'; readonly div: string }
  readonly purposeOfEvent?: AuditEvent['purposeOfEvent']
}

/**
 * @param event the first of the entry's
 * @param origin public address of the record
 * @param isWard whether a guardian reads it
 */
export function patientEvent(
  event: AuditEvent,
  entry: ToldEntry,
  places: PlaceNames,
  language: Language,
  origin: string,
  isWard: boolean,
): PatientEvent {
  const { id, extension, type, subtype, action, recorded, outcome, purposeOfEvent } = event
  return {
    resourceType: 'AuditEvent',
    id,
    language,
    text: { status: 'generated', div: narrativeOf(plainWords(entry, places, language, isWard), language) },
    extension,
    type,
    subtype,
    action,
    recorded,
    ...(outcome === undefined ? {} : { outcome }),
    ...(purposeOfEvent === undefined ? {} : { purposeOfEvent }),
    agent: agentsOf(entry, places, language, origin),
    source: { site: entry.log, observer: recordOf(origin), type: event.source.type },
    entity: entitiesOf(entry, origin),
  }
}

function agentsOf(
  { access: { who } }: ToldEntry,
  { facility, organisation }: PlaceNames,
  language: Language,
  origin: string,
): AuditEventAgent[] {
  const [name, practitioner, role] = [told(who.name), told(who.practitioner), told(who.role)]
  const words = roleWords(role, language)
  return [
    {
      type: { coding: [terms.recipient] },
      ...(role === null ? {} : { role: [{ ...codeable(roleSystem, role), text: words ?? role }] }),
      ...(name === null ? {} : { who: { display: name }, name }),
      ...(practitioner === null ? {} : { altId: practitioner }),
      requestor: true,
      ...(who.facility === null
        ? {}
        : { location: named(identified(`${origin}/registry/facility`, who.facility, 'Location'), facility) }),
    },
    ...(who.organisation === null
      ? []
      : [
          {
            type: { coding: [terms.provider] },
            who: named(
              identified(`${origin}/registry/organisation`, who.organisation, 'Organization'),
              organisation,
            ),
            requestor: false,
          },
        ]),
  ]
}

const named = (reference: Reference, display: string | null): Reference => ({
  ...reference,
  ...(display === null ? {} : { display }),
})

/** The patient, and each kind of resource: which ones is in the entry. */
const entitiesOf = ({ access: { patient, resources } }: ToldEntry, origin: string): AuditEventEntity[] => [
  ...(patient === null ? [] : [patientOf(patient, origin)]),
  ...[...new Set(resources.map(typeOf))]
    .filter((type) => /^[A-Z][A-Za-z]{1,63}$/.test(type))
    .map((type) => ({ type: resourceType(type), role: terms.domainResource })),
]
