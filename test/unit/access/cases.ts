/** The axes of a decision and every value that a branch of the policy could tell apart, and cases made of them. */
import type { Caller, Facility, Provider } from '../../../src/access/caller.ts'
import { type DecidedRow, noCodings, type Situation } from '../../../src/access/policy.ts'
import type { Grant } from '../../../src/access/scope.ts'
import type {
  BreakGlass,
  ConsentRule,
  LiftableKind,
  Relationship,
  Subject,
} from '../../../src/access/subject.ts'

export const facility: Facility = {
  row: 1,
  id: 'hospital',
  uri: 'https://record.example/facility/hospital',
  name: 'Hôpital',
  organisation: 'network',
  type: 'hospital-type',
  region: 'montreal',
  log: 'montreal',
  identitySystems: [],
}

export const provider: Provider = {
  kind: 'provider',
  professional: 'tremblay',
  name: 'Dre Tremblay',
  role: 'physician',
  purpose: 'TREAT',
  facility,
  domains: new Set(['laboratory']),
  clearance: { own: 'R', elsewhere: 'N' },
  contextPerson: null,
}

const nobodyInParticular = { professional: 'bouchard', name: 'Me Bouchard' }
export const otherCallers: readonly Caller[] = [
  { kind: 'facility-system', client: 'system', name: 'EMR', facility },
  { kind: 'access-manager', ...nobodyInParticular, facility },
  { kind: 'privacy-officer', ...nobodyInParticular, organisation: null },
  { kind: 'privacy-officer', ...nobodyInParticular, organisation: 'network' },
  { kind: 'operator', ...nobodyInParticular },
  { kind: 'patient', person: 'p', name: 'Léa Gagnon', assurance: 'high' },
  { kind: 'guardian', person: 'p', guardian: 'g', name: 'Guy Gagnon', assurance: 'high' },
]

/** Where and when a document comes from, by what the rules of the case compare it with. */
const cutOff = '2025-01-01T00:00:00.000Z'
const dates = {
  'served before': { dateLo: '2024-12-31T23:59:59.999Z', firstPublished: '2026-01-01T00:00:00.000Z' },
  'served that very day': { dateLo: cutOff, firstPublished: '2024-01-01T00:00:00.000Z' },
  'served after': { dateLo: '2025-06-01T00:00:00.000Z', firstPublished: '2024-01-01T00:00:00.000Z' },
  'undated, first published before': { dateLo: '', firstPublished: '2024-12-31T23:59:59.999Z' },
  'undated, first published that very day': { dateLo: '', firstPublished: cutOff },
  'undated, first published after': { dateLo: '', firstPublished: '2026-01-01T00:00:00.000Z' },
}

type RulesFor = (row: DecidedRow) => readonly ConsentRule[]
let ruleRows = 0
const rule = (changes: Partial<ConsentRule>): ConsentRule => ({
  row: ++ruleRows,
  consent: 'consent',
  kind: 'restriction',
  before: '',
  actorKind: 'any',
  actor: '',
  whatKind: 'any',
  what: '',
  ...changes,
})
const total = rule({ kind: 'refusal-total' })
const before = rule({ kind: 'refusal-before', before: cutOff })

/** What misses is right of another kind: the id of a facility is no organisation's. */
const actors: readonly Pick<ConsentRule, 'actorKind' | 'actor'>[] = [
  { actorKind: 'any', actor: '' },
  { actorKind: 'professional', actor: provider.professional },
  { actorKind: 'professional', actor: provider.role },
  { actorKind: 'role', actor: provider.role },
  { actorKind: 'role', actor: facility.type },
  { actorKind: 'facility', actor: facility.id },
  { actorKind: 'facility', actor: facility.organisation },
  { actorKind: 'organisation', actor: facility.organisation },
  { actorKind: 'organisation', actor: facility.id },
]
const things: readonly ((row: DecidedRow) => Pick<ConsentRule, 'whatKind' | 'what'>)[] = [
  () => ({ whatKind: 'any', what: '' }),
  ({ domain }) => ({ whatKind: 'domain', what: domain }),
  ({ type }) => ({ whatKind: 'domain', what: type }),
  ({ type }) => ({ whatKind: 'type', what: type }),
  ({ domain }) => ({ whatKind: 'type', what: domain }),
  ({ type, id }) => ({ whatKind: 'document', what: `${type}/${id}` }),
  ({ id }) => ({ whatKind: 'document', what: `Other/${id}` }),
]
const restrictions: readonly RulesFor[] = actors.flatMap((actor) =>
  things.map(
    (thing): RulesFor =>
      (row) => [rule({ ...actor, ...thing(row) })],
  ),
)
const restricted = rule({})
const missed = rule({ actorKind: 'professional', actor: 'other' })

const noRules: RulesFor = () => []
const fewRules: readonly RulesFor[] = [
  noRules,
  () => [total],
  () => [before],
  () => [restricted],
  () => [missed],
  () => [restricted, total],
  () => [missed, restricted, before],
]
const moreRules: readonly RulesFor[] = [
  () => [before, total],
  () => [total, before],
  () => [total, restricted],
  () => [restricted, before],
  () => [before, restricted, total],
]
const allRules: readonly RulesFor[] = [...fewRules, ...restrictions, ...moreRules]

const relation = (kind: Relationship['kind'], professional: string): Relationship => ({
  row: 1,
  kind,
  professional,
})
const relationships: readonly (readonly Relationship[])[] = [
  [],
  [relation('encounter', '')],
  [relation('attestation', provider.professional)],
  [relation('care-team', 'other')],
  [relation('episode', 'other'), relation('enrolment', provider.professional)],
]

const emergency = (professional: string): BreakGlass => ({
  row: 1,
  id: 'b',
  professional,
  reason: 'unconscious',
})
const emergencies: readonly (readonly BreakGlass[])[] = [
  [],
  [emergency(provider.professional)],
  [emergency('other')],
]

const liftable: readonly LiftableKind[] = ['relationship', 'restriction', 'refusal-before', 'refusal-total']
export const switches: readonly ReadonlySet<LiftableKind>[] = Array.from(
  { length: 2 ** liftable.length },
  (_, bits) => new Set(liftable.filter((_kind, i) => bits & (1 << i))),
)

const ranks = ['U', 'L', 'M', 'N', 'R', 'V'] as const
const clearances = ranks.flatMap((own) => ranks.map((elsewhere) => ({ own, elsewhere })))
const labels = ['', ...ranks, 'X', 'n']

const token = (system: string | null, code: string) => ({ system, code })
const grant = (inContext: boolean, ...parameters: Grant['parameters']): Grant => ({ inContext, parameters })
const isLaboratory = { name: 'category', tokens: [token('cat', 'laboratory')] } as const
const isImaging = { name: 'category', tokens: [token('cat', 'imaging'), token(null, 'imaging')] } as const
const whole = grant(false)
const inContext = grant(true)
const grantLists: readonly (readonly Grant[] | null)[] = [
  null,
  [],
  [whole],
  [inContext],
  [grant(false, isLaboratory)],
  [grant(false, isImaging)],
  [grant(true, isLaboratory)],
  [grant(true, isImaging)],
  [grant(false, isLaboratory, isImaging)],
  [grant(false, isImaging), inContext],
  [grant(false, { name: 'category', tokens: [token(null, 'laboratory')] })],
  [grant(false, { name: 'category', tokens: [token('', 'laboratory')] })],
  [grant(false, { name: 'category', tokens: [token('', 'bare')] })],
  [grant(false, { name: 'category', tokens: [token('loinc', '718-7')] })],
  [grant(false, { name: 'code', tokens: [token('snomed', 'x'), token('loinc', '718-7')] })],
  [grant(false, { name: 'code', tokens: [token(null, 'laboratory')] })],
  [grant(false, { name: 'status', tokens: [token(null, 'final')] })],
  [grant(false, { name: 'status', tokens: [token(null, 'amended')] })],
]

const laboratoryCodings: DecidedRow['codings'] = {
  categories: ['cat|laboratory', '|bare'],
  codes: ['loinc|718-7', 'local|hb'],
  statuses: ['final'],
}

/** Whom a document is about, by the subjects of the page. */
const whoms = {
  nobody: '',
  'the subject': 'record-1',
  'the subject, by another source record': 'record-2',
  'another subject': 'record-3',
  'somebody unknown': 'record-9',
} as const

/** Every axis with all its values. */
export const axes = {
  domain: ['laboratory', 'identity', 'directory', 'imaging'],
  type: ['Observation', 'AuditEvent', 'Consent'],
  isShared: [true, false],
  facility: ['hospital', 'clinic'],
  whom: Object.keys(whoms) as (keyof typeof whoms)[],
  relationships,
  rules: allRules,
  date: Object.values(dates),
  emergencies,
  purpose: ['TREAT', 'BTG', 'ETREAT', 'HMARKT'],
  lifted: switches,
  label: labels,
  clearance: clearances,
  grants: grantLists,
  context: [null, 'p', 'q'],
  codings: [noCodings, laboratoryCodings],
} as const

export type Axes = { readonly [Name in keyof typeof axes]: readonly (typeof axes)[Name][number][] }
export type Values = { readonly [Name in keyof Axes]: Axes[Name][number] }

/** One value of each axis that no rule objects to. */
const plain: Axes = {
  domain: ['laboratory'],
  type: ['Observation'],
  isShared: [true],
  facility: ['clinic'],
  whom: ['the subject'],
  relationships: relationships.slice(1, 2),
  rules: [noRules],
  date: [dates['served after']],
  emergencies: emergencies.slice(1, 2),
  purpose: ['TREAT'],
  lifted: switches.slice(-1),
  label: [''],
  clearance: [provider.clearance as Values['clearance']],
  grants: [null],
  context: [null],
  codings: [noCodings],
}

/**
 * The products that are enumerated. `gates` crosses all axes, each by a value for everything that makes one of its
 * branches answer differently: whether an objection stands, which of two comes first, what lifts it. The others take one
 * branch each and cross all values of all axes which that branch reads, so that a representative in `gates` answers as
 * every value of its class does.
 */
export const products = {
  gates: {
    ...axes,
    domain: ['laboratory', 'identity', 'imaging'],
    type: ['Observation', 'Consent'],
    whom: ['nobody', 'the subject', 'somebody unknown'],
    relationships: [0, 2, 3].map((i) => relationships[i] ?? []),
    rules: fewRules,
    date: [dates['served before']],
    emergencies,
    purpose: ['TREAT', 'BTG'],
    label: ['N', 'R'],
    clearance: [{ own: 'R', elsewhere: 'N' }],
    grants: [null, [inContext]],
    context: [null, 'p'],
    codings: [noCodings],
  },
  // `basisOf`, `lifts`, `forbids` read the subject's facts, the caller's names and purpose, the row's names and dates.
  wishes: {
    ...plain,
    domain: ['laboratory', 'identity', 'directory'],
    type: ['Observation', 'Consent'],
    facility: ['hospital'],
    relationships: [0, 2, 3].map((i) => relationships[i] ?? []),
    rules: allRules,
    date: axes.date,
    emergencies,
    purpose: axes.purpose,
    lifted: switches,
  },
  // Who the row is about, and what makes a document everybody's or its facility's, for every kind of row.
  placement: {
    ...plain,
    domain: axes.domain,
    type: axes.type,
    isShared: axes.isShared,
    facility: axes.facility,
    whom: axes.whom,
    relationships: [0, 1, 4].map((i) => relationships[i] ?? []),
    rules: fewRules,
    date: [dates['served before']],
    emergencies,
    purpose: axes.purpose,
    lifted: [new Set<LiftableKind>(), new Set(liftable)],
    context: axes.context,
    grants: [null, [inContext]],
  },
  // `rankOf` reads the label, the clearance and whose document it is.
  labels: {
    ...plain,
    isShared: axes.isShared,
    facility: axes.facility,
    whom: ['nobody', 'the subject'],
    relationships: relationships.slice(0, 2),
    purpose: ['TREAT', 'BTG'],
    label: labels,
    clearance: clearances,
    grants: [null, []],
  },
  // `allowsRow` reads the grants, the row's codings and whether it is about the person in context.
  scopes: {
    ...plain,
    facility: axes.facility,
    whom: axes.whom,
    relationships: relationships.slice(0, 2),
    purpose: ['TREAT', 'BTG'],
    grants: grantLists,
    context: axes.context,
    codings: axes.codings,
  },
  // A facility's system, and whoever reads nothing: what says nothing to them changes nothing.
  otherCallers: {
    ...plain,
    domain: axes.domain,
    type: axes.type,
    isShared: axes.isShared,
    facility: axes.facility,
    whom: axes.whom,
    rules: fewRules.slice(0, 2),
    label: ['N', 'V'],
    grants: grantLists,
    codings: axes.codings,
  },
  // `decideSubject` reads the subject's facts, the caller's name and purpose, and the switches.
  subjects: {
    ...plain,
    relationships,
    rules: [...fewRules, ...moreRules],
    emergencies,
    purpose: axes.purpose,
    lifted: switches,
  },
} satisfies Record<string, Axes>

export interface Case {
  readonly caller: Caller
  readonly situation: Situation
  readonly row: DecidedRow
}

export const sizeOf = (product: Axes): number =>
  Object.values(product).reduce((size, values) => size * values.length, 1)

/** The case at `index` of a product; `caller`: in place of the provider that the values describe. */
export function caseAt(product: Axes, index: number, caller: Caller | null = null): Case {
  let rest = index
  const pick = <T>(values: readonly T[]): T => {
    const value = values[rest % values.length] as T
    rest = Math.floor(rest / values.length)
    return value
  }
  const purpose = pick(product.purpose)
  const clearance = pick(product.clearance)
  const contextPerson = pick(product.context)
  const whom = pick(product.whom)
  const date = pick(product.date)
  const row: DecidedRow = {
    type: pick(product.type),
    id: 'd',
    domain: pick(product.domain),
    facility: pick(product.facility),
    sourceRecord: whoms[whom],
    confidentiality: pick(product.label),
    dateLo: date.dateLo,
    firstPublished: date.firstPublished,
    shared: pick(product.isShared),
    codings: pick(product.codings),
  }
  const subject: Subject = {
    person: 'p',
    sourceRecords: ['record-1', 'record-2'],
    relationships: pick(product.relationships),
    rules: pick(product.rules)(row),
    breakGlass: pick(product.emergencies),
  }
  const lifted = pick(product.lifted)
  const grants = pick(product.grants)
  return {
    caller: caller ?? { ...provider, purpose, clearance, contextPerson },
    situation: {
      subjects: [subject, otherSubject],
      settings: {
        encounterDaysAfter: 0,
        encounterOpenDays: 0,
        attestationHours: 0,
        breakGlassHours: 0,
        lifted,
      },
      grants,
    },
    row,
  }
}

/** Cared for, and wishing something else than the first. */
const otherSubject: Subject = {
  person: 'q',
  sourceRecords: ['record-3'],
  relationships: [relation('encounter', '')],
  rules: [missed, before],
  breakGlass: [],
}
