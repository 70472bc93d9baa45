/** A version in the register as the FHIR R4 `Consent` that is served. `consent-reading.ts` is the way back. */
import type { Actor, Restriction, Scope, What } from './consent-scope.ts'
import {
  actCode,
  actorSystems,
  type Capacity,
  consentScope,
  domainSystem,
  loinc,
  type Means,
  meansExtension,
  participationType,
  recorderExtension,
  resourceTypeSystem,
  roleSystem,
} from './consent-terms.ts'

/** What the person said, and who said it for them. */
export interface ConsentContent {
  readonly status: 'active' | 'inactive'
  /** Server id of the `Patient`. */
  readonly patient: string
  /** Server id of the `Patient` who agreed: the person or a guardian; null: not said. */
  readonly performer: string | null
  /** FHIR `dateTime` at which it was expressed; null: not said. */
  readonly dateTime: string | null
  readonly means: Means | null
  readonly scope: Scope
}

/** A row of `consent`. */
export interface ConsentVersion {
  readonly id: string
  readonly version: number
  readonly status: 'active' | 'inactive'
  /** The content as JSON text, as `contentBody` makes it. */
  readonly body: string
  /** ISO 8601 UTC. */
  readonly recordedAt: string
  readonly recordedBy: string
  readonly capacity: Capacity
  readonly means: string
  readonly system: string
}

/** The resource without what the register adds: what `consent.body` holds. */
export function contentBody(content: ConsentContent): Readonly<Record<string, unknown>> {
  const { status, patient, performer, dateTime, means, scope } = content
  return {
    resourceType: 'Consent',
    ...(means === null ? {} : { extension: [{ url: meansExtension, valueCode: means }] }),
    status,
    scope: concept(consentScope, 'patient-privacy'),
    category: [concept(loinc, '59284-0')],
    patient: { reference: `Patient/${patient}` },
    ...(dateTime === null ? {} : { dateTime }),
    ...(performer === null ? {} : { performer: [{ reference: `Patient/${performer}` }] }),
    policyRule: concept(actCode, 'OPTOUT'),
    provision: provisionOf(scope),
  }
}

/** The served resource: the content with id, version and who recorded it. */
export function consentResource(version: ConsentVersion): Readonly<Record<string, unknown>> {
  const { resourceType, extension, ...content } = JSON.parse(version.body) as Record<string, unknown>
  return {
    resourceType,
    id: version.id,
    meta: { versionId: String(version.version), lastUpdated: version.recordedAt },
    extension: [
      ...(Array.isArray(extension) ? extension : []),
      {
        url: recorderExtension,
        extension: [
          { url: 'capacity', valueCode: version.capacity },
          { url: 'who', valueString: version.recordedBy },
          { url: 'system', valueString: version.system },
          { url: 'recorded', valueInstant: version.recordedAt },
        ],
      },
    ],
    ...content,
  }
}

function provisionOf(scope: Scope): Readonly<Record<string, unknown>> {
  switch (scope.kind) {
    case 'refusal-total':
      return { type: 'deny' }
    case 'refusal-before':
      return { type: 'deny', dataPeriod: { end: scope.day } }
    case 'restriction':
      return { type: 'permit', provision: scope.restrictions.map(denial) }
  }
}

const denial = ({ actors, what }: Restriction) => ({
  type: 'deny',
  ...(actors.length > 0 ? { actor: actors.map(actorElement) } : {}),
  ...whatElements(what),
})

function actorElement({ kind, id }: Actor) {
  // R4 wants a reference; nobody in particular is meant.
  if (kind === 'role') return { role: concept(roleSystem, id), reference: { display: id } }
  return {
    role: concept(participationType, 'IRCP'),
    reference: { identifier: { system: actorSystems[kind], value: id } },
  }
}

function whatElements(what: readonly What[]) {
  const [first] = what
  switch (first?.kind) {
    case undefined:
      return {}
    case 'type':
      return { class: what.map(({ id }) => ({ system: resourceTypeSystem, code: id })) }
    case 'domain':
      return { code: what.map(({ id }) => concept(domainSystem, id)) }
    case 'document':
      return { data: what.map(({ id }) => ({ meaning: 'instance', reference: { reference: id } })) }
  }
}

const concept = (system: string, code: string) => ({ coding: [{ system, code }] })
