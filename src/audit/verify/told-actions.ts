/** The table of actions in `docs/audit-log.md` §4, as a verifier reads it. */

export type Code = readonly [system: string, code: string]

const dcm = (code: string): Code => ['http://dicom.nema.org/resources/ontology/DCM', code]
const interaction = (code: string): Code => ['http://hl7.org/fhir/restful-interaction', code]
const participant = (code: string): Code => [
  'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  code,
]

const rest: Code = ['http://terminology.hl7.org/CodeSystem/audit-event-type', 'rest']
const disclose: Code = ['http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', 'disclose']
const custodian: Code = ['http://terminology.hl7.org/CodeSystem/provenance-participant-type', 'custodian']

export const application = dcm('110150')
export const destination = dcm('110152')
export const source = dcm('110153')
export const securityAlert = dcm('110113')
export const recipient = participant('IRCP')
export const oauthUser: Code = [
  'https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes',
  'UserOauthAgent',
]
const author = [participant('AUT'), oauthUser]

export interface ToldAction {
  readonly type: Code
  readonly subtypes: readonly Code[]
  readonly action: string
  readonly client: Code
  readonly server: Code
  readonly user: readonly Code[]
  readonly isQuery: boolean
}

const towards = { client: source, server: destination }
const from = { client: destination, server: source }
const read = (subtypes: readonly Code[]): ToldAction => ({
  ...from,
  type: rest,
  subtypes,
  action: 'R',
  user: [recipient],
  isQuery: false,
})
const query = (subtypes: readonly Code[]): ToldAction => ({
  ...towards,
  type: rest,
  subtypes,
  action: 'E',
  user: [recipient],
  isQuery: true,
})
const write = (subtypes: readonly Code[], action: string): ToldAction => ({
  ...towards,
  type: rest,
  subtypes,
  action,
  user: author,
  isQuery: false,
})
const alert = (subtype: string, action: string, type: Code = securityAlert): ToldAction => ({
  ...query([dcm(subtype)]),
  type,
  action,
})

const operation = query([interaction('operation')])

const actions: ReadonlyMap<unknown, ToldAction> = new Map([
  ['read', read([interaction('read')])],
  ['vread', read([interaction('vread')])],
  ['history', read([interaction('read'), interaction('history-instance')])],
  ['search', query([interaction('search-type')])],
  ['audit-read', query([interaction('search-type'), dcm('110101')])],
  ['operation', operation],
  ['create', write([interaction('create')], 'C')],
  ['publish', write([interaction('create'), interaction('transaction')], 'C')],
  ['update', write([interaction('update')], 'U')],
  ['policy', write([interaction('update')], 'U')],
  ['delete', { ...write([interaction('delete')], 'D'), client: application, server: custodian }],
  ['export', { ...query([disclose]), ...from, type: dcm('110106'), action: 'R' }],
  ['authenticate', alert('110122', 'E', dcm('110114'))],
  ['break-glass', alert('110127', 'E')],
  ['redaction', alert('110132', 'D')],
  ['succession', alert('110129', 'U')],
])

/** Of an action that the table does not have: as an operation. */
export const toldAction = (action: unknown): ToldAction => actions.get(action) ?? operation

/** Reasons of a denial that are about what was sent, not about a right. */
export const inputReasons: ReadonlySet<unknown> = new Set([
  'invalid',
  'conflict',
  'precondition-failed',
  'not-found',
  'redacted',
  'no-such-path',
  'method-not-allowed',
  'not-acceptable',
  'unsupported-media-type',
  'body-too-large',
  'body-timeout',
  'too-costly',
])
