/**
 * The `CapabilityStatement` (R4 §5.2), made of the operations that are mounted and of the tables that they search by: it
 * cannot disagree with them.
 */
import {
  type Condition,
  interactionsByType,
  type Offered,
  systemInteractions,
  type TypeInteraction,
} from './interactions.ts'
import { resourceTypes } from './types.ts'

export interface CapabilityOptions {
  /** Scheme and host of the record. */
  readonly origin: string
  readonly language: 'fr' | 'en'
  readonly operations: readonly Offered[]
  /** Endpoints of the authorization server; null: none is known. */
  readonly oauth: { readonly authorize: string | null; readonly token: string } | null
}

/** Changes with what is offered. */
const changed = '2026-11-25'

export function capabilityStatement({ origin, language, operations, oauth }: CapabilityOptions) {
  const interactionsOf = interactionsByType(operations)
  return {
    resourceType: 'CapabilityStatement',
    language,
    name: 'Dossier',
    title: texts.title[language],
    status: 'active',
    date: changed,
    description: texts.description[language],
    kind: 'instance',
    software: { name: 'Dossier' },
    implementation: { description: texts.title[language], url: `${origin}/fhir` },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    ...patchFormats(operations),
    rest: [
      {
        mode: 'server',
        documentation: texts.rest[language],
        security: security(oauth, texts.security[language]),
        resource: [...resourceTypes].sort().flatMap((type) => resourceOf(type, interactionsOf(type))),
        interaction: systemInteractions(operations).map((code) => ({ code })),
      },
    ],
  }
}

const texts = {
  title: { fr: 'Dossier, un dossier de santé partagé', en: 'Dossier, a shared health record' },
  description: {
    fr: 'Les documents publiés par les établissements, lus par les professionnels autorisés. Tout accès est inscrit au journal avant que rien ne soit communiqué.',
    en: 'Documents that facilities publish, read by authorised professionals. Every access is in the audit log before anything is released.',
  },
  rest: {
    fr: 'Un paramètre de recherche inconnu est refusé (400), jamais passé sous silence. Les réponses portent le reçu de leur inscription au journal (Dossier-Receipt) et l’horloge des écritures (Dossier-Clock) : la renvoyer, c’est lire ses propres écritures.',
    en: 'An unknown search parameter is refused (400), never passed over. Answers carry the receipt of their entry in the log (Dossier-Receipt) and the write clock (Dossier-Clock): who sends it back reads their own writes.',
  },
  security: {
    fr: 'À chaque requête, un jeton JWT d’un émetteur inscrit (RFC 9068, IHE IUA), porté par son détenteur ou lié à une clé (DPoP, RFC 9449).',
    en: 'A JWT access token of a registered issuer on every request (RFC 9068, IHE IUA), borne or bound to a key (DPoP, RFC 9449).',
  },
} as const

function patchFormats(operations: readonly Offered[]) {
  const formats = operations
    .filter(({ method, path }) => method === 'PATCH' && path.startsWith('/fhir/'))
    .flatMap(({ bodyTypes = [] }) => bodyTypes)
  return formats.length === 0 ? {} : { patchFormat: [...new Set(formats)] }
}

/** SMART App Launch 2.2, and its older way of naming the endpoints, which clients still read. */
const security = (oauth: CapabilityOptions['oauth'], description: string) => ({
  ...(oauth === null ? {} : { extension: [oauthUris(oauth)] }),
  cors: true,
  ...(oauth === null ? {} : { service: [smartOnFhir] }),
  description,
})

const smartOnFhir = {
  coding: [
    {
      system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
      code: 'SMART-on-FHIR',
    },
  ],
  text: 'OAuth2 (SMART App Launch)',
}

const oauthUris = ({ authorize, token }: NonNullable<CapabilityOptions['oauth']>) => ({
  url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
  extension: [
    { url: 'token', valueUri: token },
    ...(authorize === null ? [] : [{ url: 'authorize', valueUri: authorize }]),
  ],
})

function resourceOf(type: string, all: readonly TypeInteraction[]) {
  const plain = all.filter(({ isConditional }) => !isConditional)
  if (plain.length === 0) return []
  const of = (code: string): TypeInteraction | undefined => plain.find((one) => one.code === code)
  const heeds = (code: string, condition: Condition): boolean =>
    of(code)?.by.conditions?.includes(condition) ?? false
  const isConditional = (code: string): boolean => all.some((one) => one.isConditional && one.code === code)
  const search = of('search-type')?.by
  const searchParam = search?.searchParameters?.(type) ?? []
  const { includes = [], revincludes = [] } = search?.linksOf?.(type) ?? {}
  return [
    {
      type,
      interaction: [...new Set(plain.map(({ code }) => code))].map((code) => ({ code })),
      versioning: heeds('update', 'If-Match') ? 'versioned-update' : 'versioned',
      readHistory: of('vread') !== undefined,
      // What a facility publishes begins with its first update; the register gives ids of its own.
      updateCreate: of('update')?.isGeneric ?? false,
      conditionalCreate: heeds('create', 'If-None-Exist'),
      conditionalRead: conditionalRead(heeds('read', 'If-None-Match'), heeds('read', 'If-Modified-Since')),
      conditionalUpdate: isConditional('update'),
      conditionalDelete: isConditional('delete') ? 'single' : 'not-supported',
      referencePolicy: ['literal'],
      ...(includes.length === 0 ? {} : { searchInclude: includes }),
      ...(revincludes.length === 0 ? {} : { searchRevInclude: revincludes }),
      ...(searchParam.length === 0
        ? {}
        : {
            searchParam: searchParam.map(({ name, definition, type }) => ({
              name,
              ...(definition === undefined ? {} : { definition }),
              type,
            })),
          }),
    },
  ]
}

function conditionalRead(byVersion: boolean, byTime: boolean) {
  if (byVersion && byTime) return 'full-support'
  if (byVersion) return 'not-match'
  return byTime ? 'modified-since' : 'not-supported'
}
