/**
 * The OpenAPI 3.1 description of what is offered beside FHIR, made of the operations: addresses, callers, and the very
 * schemas by which they read what they are sent. FHIR describes itself (`fhir/capability.ts`).
 */
import * as z from 'zod'
import type { AnyOperation } from './operation.ts'
import { isFhir } from './representation.ts'

type Json = Readonly<Record<string, unknown>>

export function openApi(origin: string, language: 'fr' | 'en', operations: readonly AnyOperation[]): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const operation of operations) {
    if (isFhir(operation.path)) continue
    const path = operation.path.replaceAll(/:(\w+)(?:\{.*?\})?(?=\/|$)/g, '{$1}')
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationOf(operation, language) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: texts.title[language],
      version: '0.1.0',
      description: texts.description[language],
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: origin }],
    security: [{ bearer: [] }, { dpop: [] }],
    paths,
    components: componentsIn(language),
  }
}

const texts = {
  title: { fr: 'Dossier, hors FHIR', en: 'Dossier, beside FHIR' },
  description: {
    fr: 'Le registre, le journal des accès et leur administration. Les documents sont sous /fhir (voir /fhir/metadata), les fichiers publics du journal sous /audit/logs (C2SP tlog-tiles).',
    en: 'The registry, the audit log and their administration. Documents are under /fhir (see /fhir/metadata), public files of the log under /audit/logs (C2SP tlog-tiles).',
  },
  bearer: {
    fr: 'Jeton d’accès d’un émetteur inscrit (RFC 9068).',
    en: 'Access token of a registered issuer (RFC 9068).',
  },
  dpop: {
    fr: 'Jeton lié à une clé, avec sa preuve dans l’en-tête DPoP (RFC 9449).',
    en: 'Token bound to a key, with its proof in the header DPoP (RFC 9449).',
  },
  receipt: {
    fr: 'Reçu de l’inscription au journal : <journal>/<index>[+<n−1>]:<empreinte>.',
    en: 'Receipt of the entry in the log: <log>/<index>[+<n−1>]:<hash>.',
  },
  clock: {
    fr: 'Horloge des écritures ; la renvoyer, c’est lire ses propres écritures.',
    en: 'Write clock; who sends it back reads their own writes.',
  },
  requestId: {
    fr: 'Numéro de la requête, donné par Dossier.',
    en: 'Number of the request, given by Dossier.',
  },
  answer: { fr: 'Ce qui était demandé.', en: 'What was asked for.' },
  problem: {
    fr: 'Refusé (RFC 9457). Ce qui part sans reçu (surcharge, journal indisponible) est un OperationOutcome constant.',
    en: 'Refused (RFC 9457). What leaves without a receipt (overload, log unavailable) is a constant OperationOutcome.',
  },
  callers: { fr: 'Pour : ', en: 'For: ' },
} as const

type Language = 'fr' | 'en'

function operationOf(operation: AnyOperation, language: Language): Json {
  const { name, path, method, callers, conditions = [], bodies = [], bodyTypes = [] } = operation
  const content = Object.fromEntries((operation.mediaTypes ?? ['application/json']).map((type) => [type, {}]))
  return {
    operationId: name,
    tags: [path.split('/')[1]],
    description: `${texts.callers[language]}${callers.join(', ')}.`,
    parameters: [
      ...parametersOf(operation.param, 'path', namesIn(path)),
      ...parametersOf(operation.query, 'query'),
      ...conditions.map((name) => ({ name, in: 'header', schema: { type: 'string' } })),
      { $ref: '#/components/parameters/Dossier-Clock' },
      { $ref: '#/components/parameters/Accept-Language' },
    ],
    ...(method === 'GET' || bodies.length === 0
      ? {}
      : {
          requestBody: {
            required: true,
            content: Object.fromEntries(bodyTypes.map((type) => [type, { schema: anyOf(bodies) }])),
          },
        }),
    responses: {
      '2XX': { description: texts.answer[language], headers, content },
      default: { $ref: '#/components/responses/Problem' },
    },
  }
}

const namesIn = (path: string): readonly string[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => String(name))

/** @param only names that there are; absent: all of the schema's */
function parametersOf(schema: z.ZodType, where: 'path' | 'query', only?: readonly string[]): readonly Json[] {
  const { properties = {}, required = [] } = schemaOf(schema) as {
    readonly properties?: Readonly<Record<string, Json>>
    readonly required?: readonly string[]
  }
  return (only ?? Object.keys(properties)).map((name) => ({
    name,
    in: where,
    ...(where === 'path' || required.includes(name) ? { required: true } : {}),
    schema: properties[name] ?? { type: 'string' },
  }))
}

function anyOf(bodies: readonly z.ZodType[]): Json {
  const [first, ...others] = bodies.map(schemaOf)
  return others.length === 0 ? (first ?? {}) : { anyOf: [first, ...others] }
}

/** JSON Schema 2020-12 of what is sent: before defaults and transformations. */
function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

const headers = Object.fromEntries(
  ['Dossier-Receipt', 'Dossier-Clock', 'X-Request-Id'].map((name) => [
    name,
    { $ref: `#/components/headers/${name}` },
  ]),
)

const problem = {
  type: 'object',
  required: ['status', 'title'],
  properties: {
    status: { type: 'integer' },
    title: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'detail'],
        properties: {
          code: { type: 'string' },
          pointer: { type: 'string' },
          detail: { type: 'string' },
        },
      },
    },
  },
}

function componentsIn(language: Language): Json {
  const text = (name: keyof typeof texts): string => texts[name][language]
  const header = (description: string): Json => ({ description, schema: { type: 'string' } })
  return {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: text('bearer') },
      dpop: { type: 'http', scheme: 'DPoP', bearerFormat: 'JWT', description: text('dpop') },
    },
    parameters: {
      'Dossier-Clock': { name: 'Dossier-Clock', in: 'header', ...header(text('clock')) },
      'Accept-Language': {
        name: 'Accept-Language',
        in: 'header',
        schema: { type: 'string', examples: ['fr', 'en'] },
      },
    },
    headers: {
      'Dossier-Receipt': header(text('receipt')),
      'Dossier-Clock': header(text('clock')),
      'X-Request-Id': header(text('requestId')),
    },
    schemas: { Problem: problem },
    responses: {
      Problem: {
        description: text('problem'),
        headers,
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
          'application/fhir+json': {},
        },
      },
    },
  }
}
