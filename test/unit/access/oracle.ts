/**
 * Who may see what, said a second time: from the rules on paper, in another style than `policy.ts`, sharing nothing with it
 * but types. Every objection is worked out for every case; the first in the order of P-9.0001, s. 20, is the reason given.
 */
import type { Caller, CallerKind, Provider } from '../../../src/access/caller.ts'
import type { Basis, DecidedRow, Decision, Situation, SubjectDecision } from '../../../src/access/policy.ts'
import type { Grant, ScopeNeed, Scopes } from '../../../src/access/scope.ts'
import type { ConsentRule, LiftableKind, Settings, Subject } from '../../../src/access/subject.ts'

type DenyReason = Extract<Decision, { outcome: 'deny' }>['reason']
type Objection = readonly [stands: boolean, reason: DenyReason]

const first = (objections: readonly Objection[]): DenyReason | null =>
  objections.filter(([stands]) => stands).map(([, reason]) => reason)[0] ?? null

export function judgeRow(caller: Caller, situation: Situation, row: DecidedRow): Decision {
  const reads = new Set<CallerKind>(['provider', 'facility-system'])
  if (!reads.has(caller.kind)) return { outcome: 'deny', reason: 'operation-not-for-caller' }
  return caller.kind === 'provider'
    ? judgeForProvider(caller, situation, row)
    : judgeForSystem(caller, situation, row)
}

/** A facility's system reads what its facility published, whatever the patient wishes: it holds it anyway. */
function judgeForSystem(caller: Caller, { grants }: Situation, row: DecidedRow): Decision {
  const facility = caller.kind === 'facility-system' ? caller.facility.id : null
  const reason = first([
    [facility !== row.facility, 'not-own-facility'],
    [!isGranted(grants, row, false), 'scope-insufficient'],
  ])
  return reason ? { outcome: 'deny', reason } : { outcome: 'permit', reason: 'own-facility', basis: null }
}

function judgeForProvider(
  caller: Provider,
  { subjects, settings, grants }: Situation,
  row: DecidedRow,
): Decision {
  const isAboutSomebody = row.sourceRecord.length > 0
  const about = subjects.filter(({ sourceRecords }) => new Set(sourceRecords).has(row.sourceRecord))[0]
  const isOwn = caller.facility.id === row.facility
  const isKeptByItsFacility = row.type === 'AuditEvent' || row.type === 'Consent'
  const isReadEverywhere = row.shared && !isKeptByItsFacility

  const subject: Subject = about ?? {
    person: '',
    sourceRecords: [],
    relationships: [],
    rules: [],
    breakGlass: [],
  }
  const held = relationshipsOf(caller, subject)
  const opens = (kind: LiftableKind): boolean => isEmergency(caller, subject) && settings.lifted.has(kind)
  const against = subject.rules.filter((rule) => isAbout(rule, row) && isAgainst(rule, caller))
  const forbidding = (kind: ConsentRule['kind']): boolean => against.some((rule) => rule.kind === kind)
  const cleared = isOwn ? caller.clearance.own : caller.clearance.elsewhere

  const reason = first([
    [![...caller.domains, 'identity', 'directory'].includes(row.domain), 'domain-not-permitted'],
    [!isOwn && !isReadEverywhere, 'not-own-facility'],
    [isAboutSomebody && !about, 'relationship-required'],
    [isAboutSomebody && held.length === 0 && !opens('relationship'), 'relationship-required'],
    [isAboutSomebody && forbidding('refusal-total') && !opens('refusal-total'), 'refused'],
    [isAboutSomebody && forbidding('refusal-before') && !opens('refusal-before'), 'refused-before'],
    [isAboutSomebody && forbidding('restriction') && !opens('restriction'), 'restricted'],
    [!mayRead(cleared, row.confidentiality), 'confidentiality'],
    [!isGranted(grants, row, caller.contextPerson === about?.person), 'scope-insufficient'],
  ])
  if (reason) return { outcome: 'deny', reason }
  if (!isAboutSomebody)
    return { outcome: 'permit', reason: isReadEverywhere ? 'shared-domain' : 'own-facility', basis: null }
  const [relationship] = held
  if (!relationship || against.length > 0)
    return { outcome: 'permit', reason: 'break-glass', basis: 'break-glass' }
  return {
    outcome: 'permit',
    reason: isReadEverywhere ? 'shared-domain' : 'own-facility',
    basis: relationship.kind,
  }
}

export function judgeSubject(caller: Provider, subject: Subject | null, settings: Settings): SubjectDecision {
  const held = subject ? relationshipsOf(caller, subject) : []
  const opens = (kind: LiftableKind): boolean =>
    subject !== null && isEmergency(caller, subject) && settings.lifted.has(kind)
  const isRefused = subject?.rules.some(({ kind }) => kind === 'refusal-total') ?? false
  const isRelated = held.length > 0 || opens('relationship')
  if (!isRelated) return { outcome: 'deny', reason: 'relationship-required' }
  if (isRefused && !opens('refusal-total')) return { outcome: 'deny', reason: 'refused' }
  const basis: Basis = isRefused ? 'break-glass' : (held[0]?.kind ?? 'break-glass')
  return { outcome: 'permit', basis }
}

/** Null: permitted. */
export function judgeOperation(
  caller: Caller,
  kinds: readonly CallerKind[],
  scopes: Scopes,
  need: ScopeNeed | null,
): DenyReason | null {
  const useful = (scopes ?? []).filter(
    ({ context, type, interactions, parameters }) =>
      contextsOf[caller.kind].split(' ').includes(context) &&
      (type === '*' || type === need?.type) &&
      need !== null &&
      interactions.split('').includes(need.interaction) &&
      parameters.every(({ name, tokens }) => isJudgedOf(need.type, name, tokens)),
  )
  return first([
    [!new Set(kinds).has(caller.kind), 'operation-not-for-caller'],
    [need !== null && scopes !== null && useful.length === 0, 'scope-insufficient'],
  ])
}

const contextsOf: Readonly<Record<CallerKind, string>> = {
  provider: 'user patient',
  'facility-system': 'system',
  'access-manager': 'user',
  'privacy-officer': 'user',
  operator: 'user',
  patient: 'patient user',
  guardian: 'patient user',
}

/** Of the types that the enumeration asks about. */
function isJudgedOf(
  type: string,
  name: string,
  tokens: readonly { readonly system: string | null }[],
): boolean {
  if (type !== 'Observation') return false
  if (name === 'status') return !tokens.some(({ system }) => system !== null)
  return name === 'category' || name === 'code'
}

const relationshipsOf = (caller: Provider, { relationships }: Subject) =>
  relationships.filter(({ professional }) => ['', caller.professional].includes(professional))

const isEmergency = (caller: Provider, { breakGlass }: Subject): boolean =>
  (caller.purpose === 'BTG' || caller.purpose === 'ETREAT') &&
  breakGlass.filter(({ professional }) => professional === caller.professional).length > 0

function isAgainst(rule: ConsentRule, caller: Provider): boolean {
  if (rule.kind !== 'restriction') return true
  const whoActs = {
    any: rule.actor,
    professional: caller.professional,
    role: caller.role,
    facility: caller.facility.id,
    organisation: caller.facility.organisation,
  }
  return whoActs[rule.actorKind] === rule.actor
}

function isAbout(rule: ConsentRule, row: DecidedRow): boolean {
  if (rule.kind === 'refusal-total') return true
  if (rule.kind === 'refusal-before') {
    const dates = [row.dateLo, row.firstPublished].filter((date) => date !== '')
    const isOlder = [dates[0] ?? '', rule.before].sort()[0] !== rule.before
    return isOlder && row.domain !== 'identity'
  }
  const whatItIs = {
    any: rule.what,
    domain: row.domain,
    type: row.type,
    document: [row.type, row.id].join('/'),
  }
  return whatItIs[rule.whatKind] === rule.what
}

/** The labels that each clearance opens. What is unlabelled is N; any other text, nobody's. */
const opened: Readonly<Record<string, readonly string[]>> = {
  U: ['U'],
  L: ['U', 'L'],
  M: ['U', 'L', 'M'],
  N: ['U', 'L', 'M', 'N', ''],
  R: ['U', 'L', 'M', 'N', '', 'R'],
  V: ['U', 'L', 'M', 'N', '', 'R', 'V'],
}
const mayRead = (clearance: string, label: string): boolean => opened[clearance]?.includes(label) ?? false

function isGranted(grants: readonly Grant[] | null, row: DecidedRow, isInContext: boolean): boolean {
  if (grants === null) return true
  const { categories, codes, statuses } = row.codings
  const texts = {
    category: withCodesAlone(categories),
    code: withCodesAlone(codes),
    status: new Set(statuses),
  }
  return grants.some((grant) => {
    const unmet = grant.parameters.filter(
      ({ name, tokens }) =>
        tokens.filter(({ system, code }) =>
          texts[name].has(system === null || name === 'status' ? code : [system, code].join('|')),
        ).length === 0,
    )
    return unmet.length === 0 && !(grant.inContext && !isInContext)
  })
}

/** `system|code` is met by itself and by its code; no system holds a bar. */
const withCodesAlone = (codings: readonly string[]): ReadonlySet<string> =>
  new Set(codings.flatMap((text) => [text, text.replace(/^[^|]*\|/, '')]))
