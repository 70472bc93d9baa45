/** Which AuditEvents a search means, and by which index of the ledger it is answered. Pure. */
import type { Action } from '../audit/port.ts'
import type { AuditEvent, CodeableConcept, Coding } from './audit-event-types.ts'
import type { TrailKey } from './trail-page.ts'
import type { TrailTerm, TrailToken } from './trail-search.ts'

type Match = (event: AuditEvent, token: TrailToken) => boolean

const isCoded = ({ system, code }: TrailToken, coding: Partial<Coding>): boolean =>
  (code === null || code === coding.code) && (system === null || system === (coding.system ?? ''))

const isConcept = (token: TrailToken, { coding = [], text }: CodeableConcept): boolean =>
  coding.some((one) => isCoded(token, one)) || (token.system === null && token.code === text)

const isIdentifier = (
  token: TrailToken,
  identifier: { readonly system?: string; readonly value: string } | undefined,
) => identifier !== undefined && isCoded(token, { ...identifier, code: identifier.value })

const startsWith = (text: string, start: string): boolean => folded(text).startsWith(folded(start))

/** A title may stand before a name. */
const hasWord = (name: string, start: string): boolean => ` ${folded(name)}`.includes(` ${folded(start)}`)

/** FHIR R4, Search, string: without case and accents. */
const folded = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()

const isReference = (token: TrailToken, reference: string | undefined): boolean =>
  reference !== undefined &&
  [reference, reference.replace(/\/_history\/.*$/, '')].some(
    (one) => token.code === one || (token.code ?? '').endsWith(`/fhir/${one}`),
  )

const registryId = ({ code }: TrailToken): string => (code ?? '').replace(/^Practitioner\//, '')

/** One for each parameter of the table but those that choose the patient and the period. */
const matches: Readonly<Record<string, Match>> = {
  _id: ({ id }, { code }) => id === code,
  agent: ({ agent }, token) =>
    agent.some(({ altId, who }) =>
      token.code?.startsWith('Organization/')
        ? who?.type === 'Organization' && who.identifier?.value === token.code.slice('Organization/'.length)
        : altId === registryId(token),
    ),
  altid: ({ agent }, { code }) => agent.some(({ altId }) => altId !== undefined && altId === code),
  'agent.identifier': ({ agent }, token) => agent.some(({ who }) => isIdentifier(token, who?.identifier)),
  'agent-name': ({ agent }, { code }) =>
    agent.some(({ name }) => name !== undefined && hasWord(name, code ?? '')),
  'agent-role': ({ agent }, token) =>
    agent.some(({ role = [] }) => role.some((one) => isConcept(token, one))),
  address: ({ agent }, { code }) =>
    agent.some(({ network }) => network !== undefined && startsWith(network.address, code ?? '')),
  action: ({ action }, { code }) => action === code,
  outcome: ({ outcome }, { code }) => outcome === code,
  type: ({ type }, token) => isCoded(token, type),
  subtype: ({ subtype }, token) => subtype.some((one) => isCoded(token, one)),
  entity: ({ entity = [] }, token) => entity.some(({ what }) => isReference(token, what?.reference)),
  'entity.identifier': ({ entity = [] }, token) =>
    entity.some(({ what }) => isIdentifier(token, what?.identifier)),
  'entity-type': ({ entity = [] }, token) => entity.some(({ type }) => isCoded(token, type)),
  'entity-role': ({ entity = [] }, token) =>
    entity.some(({ role }) => role !== undefined && isCoded(token, role)),
  source: ({ source }, { code }) => source.observer.identifier?.value === code,
  site: ({ source }, { code }) => source.site === code,
}

export const isMeant = (event: AuditEvent, terms: readonly TrailTerm[]): boolean =>
  terms.every(({ name, tokens }) => tokens.some((token) => matches[name]?.(event, token) ?? false))

/** Actions of entries by the code of their first event. `E` is that of every decision, so that any entry may have it. */
export const actionsOf: Readonly<Record<'C' | 'R' | 'U' | 'D', readonly Action[]>> = {
  C: ['create', 'publish'],
  R: ['read', 'vread', 'history', 'export'],
  U: ['update', 'policy', 'succession'],
  D: ['delete', 'redaction'],
}

/**
 * @param persons ids under which the log speaks of the patient; null: of no particular one
 * @param organisation whose accesses alone are shown; null: all
 */
export function trailKeyOf(
  terms: readonly TrailTerm[],
  persons: readonly string[] | null,
  organisation: string | null,
): TrailKey {
  if (persons !== null) return { column: 'patient', values: persons }
  const codes = (name: string): readonly string[] =>
    terms.find((term) => term.name === name)?.tokens.map(({ code }) => code ?? '') ?? []
  const agents = codes('agent')
  const isOrganisation = agents[0]?.startsWith('Organization/') ?? false
  const professionals = [...(isOrganisation ? [] : agents), ...codes('altid')]
  if (
    professionals.length > 0 &&
    !agents.some((agent) => isOrganisation !== agent.startsWith('Organization/'))
  )
    return {
      column: 'practitioner',
      values: [...new Set(professionals.map((code) => registryId({ system: null, code })))],
    }
  if (organisation !== null) return { column: 'organisation', values: [organisation] }
  const outcomes = codes('outcome')
  if (outcomes.length > 0 && !outcomes.includes('0'))
    return {
      column: 'outcome',
      values: [...new Set(outcomes.map((code) => (code === '12' ? ('error' as const) : ('deny' as const))))],
    }
  if (isOrganisation && agents.length === 1)
    return { column: 'organisation', values: [agents[0]?.slice('Organization/'.length) ?? ''] }
  const actions = codes('action')
  if (actions.length > 0 && !actions.includes('E'))
    return {
      column: 'action',
      values: [...new Set(actions.flatMap((code) => actionsOf[code as keyof typeof actionsOf] ?? []))],
    }
  return { column: null }
}
