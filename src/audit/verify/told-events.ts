/**
 * What the AuditEvents of an entry must say, by the table in `docs/audit-log.md` §4: written from there, and not by what
 * writes them. Whatever the entry holds, there is an answer.
 */
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Sha256 } from '../tlog/hash.ts'
import { isObject } from './entry-frame.ts'
import { type Fact, type Facts, valueAt } from './event-facts.ts'
import {
  application,
  type Code,
  inputReasons,
  oauthUser,
  recipient,
  securityAlert,
  type ToldAction,
  toldAction,
} from './told-actions.ts'

const uri = 'urn:ietf:rfc:3986'
const person: Code = ['http://terminology.hl7.org/CodeSystem/audit-entity-type', '1']
const systemObject: Code = ['http://terminology.hl7.org/CodeSystem/audit-entity-type', '2']
const requestId: Code = ['https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', 'XrequestId']
const resourceType = (code: string): Code => ['http://hl7.org/fhir/resource-types', code]
const role = (code: string): Code => ['http://terminology.hl7.org/CodeSystem/object-role', code]
const noCode = [null, null]
const noReference = [null, null, null, null, null]
const reasons = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'

const utf8 = new TextEncoder()

/** A text in which there is something to read; null: none. */
const textOf = (value: unknown): string | null =>
  typeof value === 'string' && /\S/.test(value) ? value : null

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Of the text in UTF-8. */
function base64(text: string): string {
  let binary = ''
  for (const byte of utf8.encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

const listOf = <T>(value: T | null): T[] => (value === null ? [] : [value])

const textsOf = (values: unknown): string[] =>
  Array.isArray(values) ? values.flatMap((value) => listOf(textOf(value))) : []

/** Of the two kinds of event. */
export const eventIds = (sha256: Sha256, log: string, index: string): readonly [string, string] => {
  const name =
    log.length > 37 ? `${log.slice(0, 20)}-${bytesToHex(sha256(utf8.encode(log))).slice(0, 16)}` : log
  return [`${name}-${index}`, `${name}-${index}-authz`]
}

/** Callers with a registry id who are no providers. */
const officers: ReadonlySet<unknown> = new Set(['access-manager', 'privacy-officer', 'operator'])

/** Whether the policy decided on a provider's access to a patient, so that there is a second event. */
export function hasDecision(access: unknown): boolean {
  const who = valueAt(access, 'who')
  const phase = valueAt(access, 'phase')
  if (phase !== 'access' && phase !== 'outcome') return false
  if (officers.has(valueAt(who, 'role'))) return false
  const facts = [
    valueAt(access, 'patient'),
    valueAt(access, 'policyVersion'),
    ...['practitioner', 'organisation', 'subject', 'client', 'address'].map((name) => valueAt(who, name)),
  ]
  if (facts.some((fact) => textOf(fact) === null)) return false
  const outcome = valueAt(access, 'decision', 'outcome')
  const reason = valueAt(access, 'decision', 'reason')
  return outcome === 'permit' || (outcome === 'deny' && !inputReasons.has(reason))
}

/** @param origin public address of the record, as the event says it */
export function toldEvent(entry: unknown, id: string, origin: string): Facts {
  const access = valueAt(entry, 'access')
  const told = toldAction(valueAt(access, 'action'))
  const operation = textOf(valueAt(access, 'operation'))
  return {
    ...toldOfBoth(entry, id, origin, '4'),
    agent: agentsOf(access, told, origin),
    action: told.action,
    outcome: outcomeOf(access),
    type: told.type,
    subtype: [
      ...told.subtypes,
      ...listOf(operation).map((name) => ['https://dossier.example/CodeSystem/operation', name]),
    ],
    entity: [...objectsOf(access, told.isQuery, origin), requestOf(access)],
  }
}

/** The event of the decision. */
export function toldDecision(entry: unknown, id: string, origin: string): Facts {
  const access = valueAt(entry, 'access')
  const token = textOf(valueAt(access, 'who', 'token'))
  const consent = `${valueAt(access, 'patient')}@${valueAt(access, 'policyVersion')}`
  return {
    ...toldOfBoth(entry, id, origin, '6'),
    agent: [
      clientOf(access, application),
      ...userOf(access, [recipient], null),
      organisationOf(access, origin),
      [
        [[['http://terminology.hl7.org/CodeSystem/extra-security-role-type', 'authserver']], null],
        [],
        ...recordAs(origin),
        null,
        [],
      ],
    ],
    action: 'E',
    outcome: valueAt(access, 'decision', 'outcome') === 'permit' ? '0' : '8',
    type: securityAlert,
    subtype: [['https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType', 'AuthZ-Consent']],
    entity: [
      [
        resourceType('Consent'),
        noCode,
        identifier(`${origin}/registry/consent`, consent, 'Consent'),
        null,
        [],
      ],
      ...listOf(token).map((jti) => [oauthUser, noCode, identifier(null, tokenUri(jti)), null, []]),
    ],
  }
}

type OfBoth =
  | 'resourceType'
  | 'id'
  | 'extension'
  | 'recorded'
  | 'source'
  | 'patient'
  | 'outcomeDesc'
  | 'purposeOfEvent'

function toldOfBoth(entry: unknown, id: string, origin: string, sourceType: string): Pick<Facts, OfBoth> {
  const access = valueAt(entry, 'access')
  const log = valueAt(entry, 'log')
  const why = ['reason', 'detail'].flatMap((name) => listOf(textOf(valueAt(access, 'decision', name))))
  const [purpose, emergency] = [
    textOf(valueAt(access, 'purpose')),
    textOf(valueAt(access, 'breakGlassReason')),
  ]
  const patient = textOf(valueAt(access, 'patient'))
  return {
    resourceType: 'AuditEvent',
    id,
    extension: [`${log}/${valueAt(entry, 'index')}`],
    recorded: valueAt(entry, 'time'),
    source: [
      log,
      identifier(uri, origin, 'Device'),
      [['http://terminology.hl7.org/CodeSystem/security-source-type', sourceType]],
    ],
    patient: listOf(patient).map((id) => [
      person,
      role('1'),
      identifier(`${origin}/registry/person`, id, 'Patient'),
      null,
      [],
    ]),
    outcomeDesc: why.length === 0 ? null : why.join(': '),
    purposeOfEvent: [
      ...listOf(purpose).map((code) => concept(reasons, code)),
      ...listOf(emergency).map((words) => [[[reasons, 'BTG']], words]),
    ],
  }
}

function outcomeOf(access: unknown): string | null {
  if (valueAt(access, 'phase') === 'intent') return null
  const outcome = valueAt(access, 'decision', 'outcome')
  if (outcome === 'permit') return '0'
  if (outcome !== 'deny') return '12'
  return inputReasons.has(valueAt(access, 'decision', 'reason')) ? '4' : '8'
}

// --- agents: type, role, who, altId, name, requestor, location, policy, network, purposeOfUse ---

function agentsOf(access: unknown, told: ToldAction, origin: string): Fact[] {
  const who = valueAt(access, 'who')
  const hasToken = ['token', 'client', 'subject'].every((name) => textOf(valueAt(who, name)) !== null)
  return [
    clientOf(access, told.client),
    [[[told.server], null], [], ...recordAs(origin), origin, []],
    ...(hasToken && told.client !== application ? [clientOf(access, application)] : []),
    ...userOf(access, told.user, origin),
    ...(textOf(valueAt(who, 'organisation')) === null ? [] : [organisationOf(access, origin)]),
  ]
}

/** From `who` to `policy`, of this record. */
const recordAs = (origin: string): Fact[] => [
  identifier(uri, origin, 'Device'),
  null,
  null,
  false,
  noReference,
  [],
]

function clientOf(access: unknown, type: Code): Fact {
  const client = textOf(valueAt(access, 'who', 'client'))
  const address = textOf(valueAt(access, 'who', 'address'))
  const who = client === null ? noReference : identifier(null, client)
  return [[[type], null], [], who, null, null, false, noReference, [], address, []]
}

/** @param origin null: of a decision, which tells neither registry id nor facility */
function userOf(access: unknown, types: readonly Code[], origin: string | null): Fact[] {
  const member = (name: string): string | null => textOf(valueAt(access, 'who', name))
  const subject = member('subject')
  if (subject === null) return []
  const system = valueAt(access, 'who', 'issuer')
  const issuer = typeof system === 'string' && /^\S+$/.test(system) ? system : null
  const facility = member('facility')
  return [
    [
      [types, null],
      listOf(member('role')).map((name) => concept('https://dossier.example/CodeSystem/role', name)),
      identifier(issuer, subject, null, member('name')),
      origin === null ? null : member('practitioner'),
      member('name'),
      true,
      origin === null || facility === null
        ? noReference
        : identifier(`${origin}/registry/facility`, facility, 'Location'),
      listOf(member('token')).map(tokenUri),
      null,
      listOf(textOf(valueAt(access, 'purpose'))).map((code) => concept(reasons, code)),
    ],
  ]
}

function organisationOf(access: unknown, origin: string): Fact {
  const organisation = textOf(valueAt(access, 'who', 'organisation'))
  const type = [[['http://terminology.hl7.org/CodeSystem/v3-RoleClass', 'PROV']], null]
  const who = identifier(`${origin}/registry/organisation`, organisation, 'Organization')
  return [type, [], who, null, null, false, noReference, [], null, []]
}

const tokenUri = (jti: string): string => `urn:ietf:params:oauth:jti:${encodeURIComponent(jti)}`

// --- entities: type, role, what, query, detail ---

function objectsOf(access: unknown, isQuery: boolean, origin: string): Fact[] {
  const resources = valueAt(access, 'resources')
  const texts = textsOf(resources)
  const [only] = texts
  if (!isQuery && only !== undefined && Array.isArray(resources) && resources.length === 1)
    return [[systemObject, role('4'), resource(only), null, []]]
  const path = `${origin}${stringOf(valueAt(access, 'query', 'path'))}`
  return [
    ...(isQuery ? queryOf(access) : [[systemObject, role('4'), identifier(uri, path), null, []]]),
    ...texts.map((text) => [resourceType(typeOf(text) ?? 'Resource'), role('4'), resource(text), null, []]),
  ]
}

function queryOf(access: unknown): Fact[] {
  const [method = '', text = ''] = ['method', 'text'].map((name) => stringOf(valueAt(access, 'query', name)))
  return text === '' ? [] : [[systemObject, role('24'), noReference, base64(`${method} ${text}`), []]]
}

function requestOf(access: unknown): Fact {
  const [part, parts] = [valueAt(access, 'part'), valueAt(access, 'parts')]
  const own = textOf(valueAt(access, 'requestId'))
  const note = valueAt(access, 'note')
  const notes = isObject(note) ? Object.entries(note).sort(([a], [b]) => (a < b ? -1 : 1)) : []
  const details = [
    ['request-id', own],
    ...(typeof part === 'number' && typeof parts === 'number' && parts > 1
      ? [['part', `${part}/${parts}`]]
      : []),
    ...notes,
  ].filter(([name, value]) => textOf(name) !== null && textOf(value) !== null)
  const value = textOf(valueAt(access, 'clientRequestId')) ?? own
  return [requestId, noCode, identifier(null, value), null, details]
}

const typeOf = (text: string): string | null =>
  /^([A-Z][A-Za-z]{1,63})\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(text)?.[1] ?? null

function resource(text: string): Fact {
  const type = typeOf(text)
  return type === null ? identifier(null, text) : [text, type, null, null, null]
}

const identifier = (
  system: string | null,
  value: unknown,
  type: string | null = null,
  display: string | null = null,
): Fact => [null, type, system, value, display]

const concept = (system: string, code: string): Fact =>
  /^\S+( \S+)*$/.test(code) ? [[[system, code]], null] : [[], code]
