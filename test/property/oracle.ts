/**
 * Who may see what, told once more: document by document over the whole world in memory, without SQL and without the
 * policy. What it shares with `src` is the table of elements only.
 */
import { elementsOf } from '../../src/fhir/elements.ts'
import type { Caller } from './caller.ts'
import { type Document, type FacilityId, facilities, type Rule, type World } from './world.ts'

export type Actor =
  | { readonly kind: 'system'; readonly facility: FacilityId }
  | {
      readonly kind: 'provider'
      readonly professional: string
      readonly role: string
      readonly purpose: string
      readonly facility: FacilityId
      readonly domains: readonly string[]
    }

const covers = (wanted: string, value: string): boolean => wanted === '*' || wanted === value

/** Null: no rights at all. */
export function actorOf(world: World, caller: Caller): Actor | null {
  if (caller.kind === 'system') return { kind: 'system', facility: caller.facility }
  if (caller.kind !== 'provider') return null
  const { professional, facility, purpose } = caller
  const held = world.held
    .filter((row) => row.professional === professional && row.facility === facility)
    .map((row) => row.role)
    .filter((role) => role !== 'access-manager')
  const role = caller.role ?? (held.length === 1 ? held[0] : undefined)
  if (role === undefined || !held.includes(role) || purpose === null) return null
  const { type } = siteOf(facility)
  const domains = world.matrix
    .filter((row) => covers(row.role, role) && covers(row.facilityType, type) && covers(row.purpose, purpose))
    .map(({ domain }) => domain)
  return domains.length === 0 ? null : { kind: 'provider', professional, role, purpose, facility, domains }
}

export const siteOf = (id: FacilityId) => {
  const site = facilities.find((facility) => facility.id === id)
  if (!site) throw new Error(id)
  return site
}

const personOf = (world: World, source: string): string | undefined =>
  world.sources.find(({ id }) => id === source)?.person

/** Whether the token's scopes leave the operation to the caller at all. */
export const mayAsk = (caller: Caller, type: string, interaction: string): boolean =>
  caller.scopes === null || grantsOf(caller, type, interaction).length > 0

const contexts: Readonly<Record<Caller['kind'], readonly string[]>> = {
  provider: ['user', 'patient'],
  system: ['system'],
  stranger: [],
  office: ['user'],
}

function grantsOf(caller: Caller, type: string, interaction: string) {
  const { categoryParam, codeParam, status } = elementsOf(type)
  const statusName = status === 'clinicalStatus' ? 'clinical-status' : status === 'status' ? 'status' : null
  return (caller.scopes ?? []).filter((scope) => {
    const letters = scope.interactions === 'read' ? 'rs' : scope.interactions
    const isOfCaller = contexts[caller.kind].includes(scope.context)
    const isJudged =
      scope.parameter === null ||
      [categoryParam, codeParam, statusName].some((name) => name !== null && name === scope.parameter?.name)
    return isOfCaller && isJudged && covers(scope.type, type) && letters.includes(interaction)
  })
}

function isInScope(world: World, caller: Caller, document: Document, interaction: string): boolean {
  if (caller.scopes === null) return true
  return grantsOf(caller, document.type, interaction).some(({ context, parameter }) => {
    if (context === 'patient') {
      const person = caller.context === null ? undefined : personOf(world, caller.context)
      if (document.source === '' || person !== document.person) return false
    }
    if (parameter === null) return true
    const { categoryParam, codeParam } = elementsOf(document.type)
    const values =
      parameter.name === categoryParam
        ? document.categories
        : parameter.name === codeParam
          ? document.codes
          : [`|${document.status}`]
    return values.some((value) => hasToken(value, parameter.token))
  })
}

/** `code` matches in any system. */
export const hasToken = (value: string, token: string): boolean =>
  token.includes('|') ? value === token : value.slice(value.indexOf('|') + 1) === token

function hasEmergency(world: World, actor: Actor, person: string): boolean {
  const now = Date.now()
  return (
    actor.kind === 'provider' &&
    ['BTG', 'ETREAT'].includes(actor.purpose) &&
    world.emergencies.some(
      (window) =>
        personOf(world, window.source) === person &&
        window.facility === actor.facility &&
        window.professional === actor.professional &&
        window.starts <= now &&
        now < window.ends,
    )
  )
}

export function isRelated(world: World, actor: Actor, person: string): boolean {
  const now = Date.now()
  const isHeld = world.relationships.some(
    (one) =>
      !one.isEnded &&
      personOf(world, one.source) === person &&
      one.facility === actor.facility &&
      actor.kind === 'provider' &&
      (one.professional === '' || one.professional === actor.professional) &&
      one.starts <= now &&
      now < one.ends,
  )
  return isHeld || (world.lifted.includes('relationship') && hasEmergency(world, actor, person))
}

/** Rules of the person that nothing lifts. */
const standing = (world: World, actor: Actor, person: string): readonly Rule[] =>
  world.rules.filter(
    (rule) =>
      !rule.isEnded &&
      personOf(world, rule.source) === person &&
      !(world.lifted.includes(rule.kind) && hasEmergency(world, actor, person)),
  )

/** What a search that names this person's source record is answered with. */
export function statusFor(
  world: World,
  actor: Actor,
  source: string,
): 'relationship-required' | 'refused' | 'permit' {
  if (actor.kind === 'system') return 'permit'
  const person = personOf(world, source)
  if (person === undefined || !isRelated(world, actor, person)) return 'relationship-required'
  return standing(world, actor, person).some(({ kind }) => kind === 'refusal-total') ? 'refused' : 'permit'
}

/** Of the end of a document nothing tells the codings: a scope that asks for some does not reach it. */
export const permitsEnd = (world: World, caller: Caller, document: Document, interaction: string): boolean =>
  permits(world, withoutCodings(caller), document, interaction)

/** Of the token's scopes those that ask for no coding. */
export const withoutCodings = (caller: Caller): Caller => ({
  ...caller,
  scopes: caller.scopes?.filter(({ parameter }) => parameter === null) ?? null,
})

/** Whether the caller may know that there is, or was, this document. */
export const permitsDocument = (
  world: World,
  caller: Caller,
  document: Document,
  interaction: string,
): boolean => (document.isDeleted ? permitsEnd : permits)(world, caller, document, interaction)

/** An earlier version is judged by what it said, its first codings alone, and is as little shared as the document is now. */
export const permitsEarlier = (
  world: World,
  caller: Caller,
  earlier: Document,
  document: Document,
  interaction: string,
): boolean =>
  permitsDocument(world, caller, document, interaction) &&
  permits(
    world,
    caller,
    {
      ...earlier,
      isShared: earlier.isShared && document.isShared && !document.isDeleted,
      categories: earlier.categories.slice(0, 1),
      codes: earlier.codes.slice(0, 1),
    },
    interaction,
  )

const order = 'ULMNRV'

export function permits(world: World, caller: Caller, document: Document, interaction: string): boolean {
  const actor = actorOf(world, caller)
  if (actor === null || !isInScope(world, caller, document, interaction)) return false
  const isOwn = document.facility === actor.facility
  if (actor.kind === 'system') return isOwn
  if (![...actor.domains, 'identity', 'directory'].includes(document.domain)) return false
  if (!isOwn && (!document.isShared || ['AuditEvent', 'Consent'].includes(document.type))) return false

  const rows = world.clearances.filter(
    (row) =>
      covers(row.role, actor.role) &&
      covers(row.facilityType, siteOf(actor.facility).type) &&
      covers(row.purpose, actor.purpose),
  )
  const cleared = Math.max(
    ...(rows.length === 0 ? ['N'] : rows.map((row) => (isOwn ? row.own : row.elsewhere))).map((label) =>
      order.indexOf(label),
    ),
  )
  const label = document.confidentiality === '' ? 'N' : document.confidentiality
  if (!order.includes(label) || order.indexOf(label) > cleared) return false
  if (document.source === '') return true
  if (!isRelated(world, actor, document.person)) return false
  return !standing(world, actor, document.person).some((rule) => forbids(rule, actor, document))
}

function forbids(rule: Rule, actor: Actor & { kind: 'provider' }, document: Document): boolean {
  if (rule.kind === 'refusal-total') return true
  if (rule.kind === 'refusal-before')
    return document.domain !== 'identity' && (document.dateLo || document.firstPublished) < rule.before
  const actors = {
    any: '',
    professional: `professional-${actor.professional}`,
    role: actor.role,
    facility: actor.facility,
    organisation: siteOf(actor.facility).organisation,
  }
  const subjects = {
    any: '',
    domain: document.domain,
    type: document.type,
    document: `${document.type}/${document.id}`,
  }
  return rule.actor === actors[rule.actorKind] && rule.what === subjects[rule.whatKind]
}
