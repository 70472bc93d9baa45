/**
 * What BALP 1.1.4 demands, from its StructureDefinitions (https://profiles.ihe.net/ITI/BALP/1.1.4): type, subtype, action,
 * outcome, and of agents and entities the slices with how many there are and what each must and must not have.
 */
import type { AuditEvent } from '../../../src/trail/audit-event-types.ts'

interface Slice {
  /** Any of these. */
  readonly types: readonly string[]
  readonly min: number
  readonly max: number
  readonly has?: readonly string[]
  readonly hasNot?: readonly string[]
  readonly requestor?: boolean
  readonly roles?: readonly string[]
}

export interface Profile {
  readonly type?: string
  /** Just one subtype is of these. */
  readonly subtype?: readonly string[]
  /** No subtype is of any other. */
  readonly isSubtypeBound?: boolean
  readonly action?: string
  readonly outcome?: '0' | 'any'
  readonly minAgents?: number
  readonly agents: Readonly<Record<string, Slice>>
  readonly minEntities?: number
  readonly entities?: Readonly<Record<string, Slice>>
  /** No entity is of no slice. */
  readonly isClosed?: boolean
  /** The agent who is the source of the event too. */
  readonly source?: string
}

const dcm = (code: string): string => `http://dicom.nema.org/resources/ontology/DCM|${code}`
const participant = (code: string): string =>
  `http://terminology.hl7.org/CodeSystem/v3-ParticipationType|${code}`
const interactions = (...codes: readonly string[]): string[] =>
  codes.map((code) => `http://hl7.org/fhir/restful-interaction|${code}`)
const role = (code: string): string => `http://terminology.hl7.org/CodeSystem/object-role|${code}`
const entity = (code: string): string => `http://terminology.hl7.org/CodeSystem/audit-entity-type|${code}`
const oauthUser = 'https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes|UserOauthAgent'

const one = { min: 1, max: 1 } as const
const atMostOne = { min: 0, max: 1 } as const

const peers = (client: string, server: string, ...user: readonly string[]): Profile['agents'] => ({
  client: { types: [client], ...one, has: ['who', 'network'], hasNot: ['media'] },
  server: { types: [server], ...one, has: ['who', 'network'], hasNot: ['media'] },
  user: { types: user, ...atMostOne, has: ['who'], hasNot: ['media', 'network'], requestor: true },
})
const towardsClient = peers(dcm('110152'), dcm('110153'), participant('IRCP'))
const sources = ['AUT', 'INF', 'CST'].map(participant)
const towardsServer = peers(dcm('110153'), dcm('110152'), ...sources)

const transaction: Slice = {
  types: ['https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType|XrequestId'],
  ...atMostOne,
  has: ['what.identifier.value'],
}
const data: Slice = { types: [entity('2')], ...one, has: ['what'], roles: ['4', '3', '20'].map(role) }
const query: Slice = {
  types: [entity('2')],
  ...one,
  has: ['query'],
  hasNot: ['what', 'lifecycle', 'detail'],
  roles: [role('24')],
}
const patient: Slice = { types: [entity('1')], ...one, has: ['what'], roles: [role('1')] }

const rest = (
  subtype: readonly string[],
  action: string,
  agents: Profile['agents'],
  entities: Profile['entities'],
): Profile => ({
  type: 'http://terminology.hl7.org/CodeSystem/audit-event-type|rest',
  subtype,
  action,
  outcome: '0',
  minAgents: 2,
  agents,
  minEntities: 1,
  entities: { transaction, ...entities },
})

const ofPatient = (profile: Profile): Profile => ({
  ...profile,
  minEntities: 2,
  entities: { ...profile.entities, patient },
})

const read = rest(interactions('read', 'vread'), 'R', towardsClient, { data })
const search = rest(
  interactions('search', 'search-type', 'search-system'),
  'E',
  peers(dcm('110153'), dcm('110152'), participant('IRCP')),
  { query },
)
const create = rest(interactions('create'), 'C', towardsServer, { data })
const update = rest(interactions('update', 'patch'), 'U', towardsServer, { data })
const custodian = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type|custodian'
const remove = rest(interactions('delete'), 'D', peers(dcm('110150'), custodian, ...sources), { data })

const bare = ['role', 'altId', 'name', 'location', 'media']

export const profiles: Readonly<Record<string, Profile>> = {
  Read: read,
  PatientRead: ofPatient(read),
  Query: search,
  PatientQuery: ofPatient(search),
  Create: create,
  PatientCreate: ofPatient(create),
  Update: update,
  PatientUpdate: ofPatient(update),
  Delete: remove,
  PatientDelete: ofPatient(remove),
  'PrivacyDisclosure.Source': {
    type: dcm('110106'),
    subtype: ['http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle|disclose'],
    action: 'R',
    outcome: 'any',
    minAgents: 2,
    agents: {
      source: { types: [dcm('110153')], ...one, has: ['who', 'network'] },
      recipient: { types: [dcm('110152')], ...one, has: ['who', 'network'] },
    },
    minEntities: 2,
    entities: { patient },
    source: 'source',
  },
  AuthZconsent: {
    type: dcm('110113'),
    subtype: ['AuthZ-Consent', 'AuthZ-Role'].map(
      (code) => `https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType|${code}`,
    ),
    isSubtypeBound: true,
    action: 'E',
    outcome: 'any',
    minAgents: 4,
    agents: {
      client: { types: [dcm('110150')], ...one, has: ['who', 'network'], hasNot: [...bare, 'purposeOfUse'] },
      user: {
        types: [participant('IRCP')],
        ...one,
        has: ['who'],
        hasNot: ['altId', 'location', 'media', 'network'],
        requestor: true,
      },
      userorg: {
        types: ['http://terminology.hl7.org/CodeSystem/v3-RoleClass|PROV'],
        ...one,
        has: ['who'],
        hasNot: [...bare, 'policy', 'network'],
        requestor: false,
      },
      authorizer: {
        types: ['http://terminology.hl7.org/CodeSystem/extra-security-role-type|authserver'],
        ...one,
        has: ['who'],
        hasNot: [...bare, 'policy', 'network', 'purposeOfUse'],
        requestor: false,
      },
    },
    minEntities: 2,
    entities: {
      patient,
      consent: { types: ['http://hl7.org/fhir/resource-types|Consent'], min: 1, max: 99, has: ['what'] },
      token: { types: [oauthUser], ...atMostOne, has: ['what.identifier.value'] },
    },
    isClosed: true,
    source: 'authorizer',
  },
  'OAUTHaccessTokenUse.Comprehensive': {
    agents: {
      oClient: { types: [dcm('110150')], ...one, has: ['who.identifier.value'], hasNot: ['media'] },
      oUser: {
        types: [participant('IRCP')],
        ...atMostOne,
        has: ['who.identifier', 'policy'],
        hasNot: ['media', 'network'],
        requestor: true,
      },
    },
  },
  'OAUTHaccessTokenUse.Minimal': {
    agents: {
      oUser: {
        types: [oauthUser],
        min: 1,
        max: 99,
        has: ['policy'],
        hasNot: ['media', 'network'],
        requestor: true,
      },
    },
  },
}

type Json = Readonly<Record<string, unknown>>
interface Coded {
  readonly system: string
  readonly code: string
}

const textOf = ({ system, code }: Coded): string => `${system}|${code}`

const valueAt = (value: unknown, path: string): unknown =>
  path.split('.').reduce((at, name) => (at as Json | undefined)?.[name], value)

/** What a profile misses in an event, one sentence each. */
export function faultsOf(event: AuditEvent, profile: Profile): string[] {
  const faults: string[] = []
  const need = (holds: boolean, what: string): void => {
    if (!holds) faults.push(what)
  }
  const { subtype = [] } = profile
  const found = event.subtype.map(textOf)
  need(profile.type === undefined || textOf(event.type) === profile.type, 'type')
  need(
    profile.subtype === undefined || found.filter((text) => subtype.includes(text)).length === 1,
    'subtype',
  )
  need(!profile.isSubtypeBound || found.every((text) => subtype.includes(text)), 'subtype of others')
  need(profile.action === undefined || event.action === profile.action, 'action')
  need(profile.outcome !== '0' || event.outcome === '0', 'outcome 0')
  need(profile.outcome === undefined || event.outcome !== undefined, 'outcome')
  need(event.agent.length >= (profile.minAgents ?? 1), 'number of agents')
  for (const [name, slice] of Object.entries(profile.agents)) {
    const agents = event.agent.filter(({ type }) =>
      (type.coding ?? []).some((one) => slice.types.includes(textOf(one))),
    )
    faults.push(...sliceFaults(`agent:${name}`, agents, slice))
    for (const { policy = [], type } of agents)
      if (policy.length > 0)
        need(
          policy.length === 1 && /^urn:ietf:params:oauth:jti:\S+$/.test(policy[0] ?? ''),
          `policy of ${type.coding?.[0]?.code}`,
        )
    if (name === profile.source)
      need(JSON.stringify(agents[0]?.who) === JSON.stringify(event.source.observer), 'val-audit-source')
  }
  const entities = event.entity ?? []
  need(entities.length >= (profile.minEntities ?? 0), 'number of entities')
  const slices = Object.entries(profile.entities ?? {})
  for (const [name, slice] of slices)
    faults.push(
      ...sliceFaults(
        `entity:${name}`,
        entities.filter(({ type }) => slice.types.includes(textOf(type))),
        slice,
      ),
    )
  for (const { type } of profile.isClosed ? entities : [])
    need(
      slices.some(([, slice]) => slice.types.includes(textOf(type))),
      `entity of no slice: ${textOf(type)}`,
    )
  return faults
}

interface Sliced {
  readonly role?: unknown
  readonly requestor?: boolean
}

function sliceFaults(name: string, members: readonly Sliced[], slice: Slice): string[] {
  const { min, max, has = [], hasNot = [], requestor, roles } = slice
  return [
    ...(members.length < min || members.length > max ? [`${name} ${members.length}`] : []),
    ...members.flatMap((member) => [
      ...has.filter((path) => valueAt(member, path) === undefined).map((path) => `${name}.${path} missing`),
      ...hasNot.filter((path) => valueAt(member, path) !== undefined).map((path) => `${name}.${path} there`),
      ...(requestor !== undefined && member.requestor !== requestor ? [`${name}.requestor`] : []),
      ...(roles && !roles.includes(textOf(member.role as Coded)) ? [`${name}.role`] : []),
    ]),
  ]
}
