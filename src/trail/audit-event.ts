/**
 * An entry of the log as FHIR AuditEvents by IHE BALP 1.1.4 (https://profiles.ihe.net/ITI/BALP): what happened and, where a
 * provider's access was decided by the policy, that decision. Pure; the table is in `docs/audit-log.md` §4.
 */
import type { ToldEntry } from '../audit/csv-columns.ts'
import type { Access } from '../audit/port.ts'
import { type EventKind, inputReasons, kindOf, outcomeOf } from './audit-event-actions.ts'
import { agentsOf, decisionAgentsOf, hasToken, recordOf, tokenUri } from './audit-event-agents.ts'
import { codeable, eventId, told } from './audit-event-elements.ts'
import { entitiesOf, patientOf } from './audit-event-entities.ts'
import {
  type AuditEvent,
  type AuditEventEntity,
  type CodeableConcept,
  dcm,
  entryExtension,
  operationSystem,
  profileOf,
  reasonSystem,
  resourceType,
  sourceType,
  terms,
} from './audit-event-types.ts'

/** @param origin public address of the record, without a slash at the end: `https://record.example` */
export const auditEventsOf = (entry: ToldEntry, origin: string): readonly AuditEvent[] =>
  isDecision(entry.access) ? [eventOf(entry, origin), decisionOf(entry, origin)] : [eventOf(entry, origin)]

function eventOf(entry: ToldEntry, origin: string): AuditEvent {
  const { access, log } = entry
  const kind = kindOf(access)
  const outcome = outcomeOf(access)
  const profiles = profilesOf(access, kind, outcome)
  const purposes = purposesOf(access)
  const operation = told(access.operation)
  return {
    resourceType: 'AuditEvent',
    id: eventId(log, entry.index),
    ...(profiles.length === 0 ? {} : { meta: { profile: profiles } }),
    extension: placeOf(entry),
    type: kind.type,
    subtype: [...kind.subtype, ...(operation === null ? [] : [{ system: operationSystem, code: operation }])],
    action: kind.action,
    recorded: entry.time,
    ...(outcome === null ? {} : { outcome }),
    ...descriptionOf(access),
    ...(purposes.length === 0 ? {} : { purposeOfEvent: purposes }),
    agent: agentsOf(access, kind, origin),
    source: { site: log, observer: recordOf(origin), type: [sourceType('4', 'Application Server')] },
    entity: entitiesOf(access, kind, origin),
  }
}

/** BALP, AuthZconsent: the policy let a provider see a patient's data, or did not. */
function decisionOf(entry: ToldEntry, origin: string): AuditEvent {
  const { access, log } = entry
  const purposes = purposesOf(access)
  return {
    resourceType: 'AuditEvent',
    id: `${eventId(log, entry.index)}-authz`,
    meta: {
      profile: [
        profileOf('AuthZconsent'),
        ...(hasToken(access) ? [profileOf('OAUTHaccessTokenUse.Comprehensive')] : []),
      ],
    },
    extension: placeOf(entry),
    type: dcm('110113', 'Security Alert'),
    subtype: [terms.authzConsent],
    action: 'E',
    recorded: entry.time,
    outcome: access.decision.outcome === 'permit' ? '0' : '8',
    ...descriptionOf(access),
    ...(purposes.length === 0 ? {} : { purposeOfEvent: purposes }),
    agent: decisionAgentsOf(access, origin),
    source: { site: log, observer: recordOf(origin), type: [sourceType('6', 'Security Server')] },
    entity: [patientOf(access.patient ?? '', origin), consentOf(access, origin), ...tokenOf(access)],
  }
}

/** Kinds of callers (`Caller`) with a registry id who are no providers. */
const officers: ReadonlySet<string> = new Set(['access-manager', 'privacy-officer', 'operator'])

/** Whether an entry tells what the policy decided for a provider on one patient; an export's chunks were decided before. */
function isDecision({ phase, patient, policyVersion, who, decision }: Access): boolean {
  if (phase !== 'access' && phase !== 'outcome') return false
  if (who.role !== null && officers.has(who.role)) return false
  const facts = [
    patient,
    policyVersion,
    who.practitioner,
    who.organisation,
    who.subject,
    who.client,
    who.address,
  ]
  if (facts.some((fact) => told(fact) === null)) return false
  return decision.outcome === 'permit' || (decision.outcome === 'deny' && !inputReasons.has(decision.reason))
}

/** The patient's consents as of the write clock at which the policy was read: a decision weighs all of them. */
const consentOf = ({ patient, policyVersion }: Access, origin: string): AuditEventEntity => ({
  what: {
    type: 'Consent',
    identifier: { system: `${origin}/registry/consent`, value: `${patient}@${policyVersion}` },
  },
  type: resourceType('Consent'),
})

function tokenOf({ who }: Access): AuditEventEntity[] {
  const token = told(who.token)
  return token === null ? [] : [{ what: { identifier: { value: tokenUri(token) } }, type: terms.oauthUser }]
}

const placeOf = ({ log, index }: ToldEntry): AuditEvent['extension'] => [
  { url: entryExtension, valueString: `${log}/${index}` },
]

function descriptionOf({ decision: { reason, detail } }: Access): Pick<AuditEvent, 'outcomeDesc'> {
  const text = told([reason, detail].filter((part) => told(part) !== null).join(': '))
  return text === null ? {} : { outcomeDesc: text }
}

/** An emergency is a purpose of its own, in the words of whoever declared it. */
function purposesOf({ purpose, breakGlassReason }: Access): CodeableConcept[] {
  const [stated, emergency] = [told(purpose), told(breakGlassReason)]
  return [
    ...(stated === null ? [] : [codeable(reasonSystem, stated)]),
    ...(emergency === null ? [] : [{ coding: [terms.breakGlass], text: emergency }]),
  ]
}

/** Those that the event fulfils: what did not succeed, and what nobody known asked for, is of none of the REST profiles. */
function profilesOf(access: Access, kind: EventKind, outcome: AuditEvent['outcome'] | null): string[] {
  const profiles: string[] = []
  const isAgentKnown = told(access.who.client) !== null && told(access.who.address) !== null
  const isDisclosure = kind.profile === 'PrivacyDisclosure.Source'
  const isOfPatient = told(access.patient) !== null
  const fits = isDisclosure ? outcome !== null && isOfPatient : outcome === '0'
  const hasObject = kind.object === 'data' || access.query.text !== ''
  if (kind.profile !== null && isAgentKnown && fits && hasObject)
    profiles.push(profileOf(isDisclosure || !isOfPatient ? kind.profile : `Patient${kind.profile}`))
  if (hasToken(access))
    profiles.push(profileOf(`OAUTHaccessTokenUse.${kind.user === 'recipient' ? 'Comprehensive' : 'Minimal'}`))
  return profiles
}
