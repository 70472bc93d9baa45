/**
 * The search parameters of each type: the one table that the grammar reads, the statements are made of, the capability
 * statement tells, and the test against leaks draws its queries from. What they look at is HL7's (`search.generated.js`).
 */
import { personParam } from './elements.ts'
import { parametersByType } from './r4/search.generated.js'

/** FHIR R4 search parameter type. */
export type ParameterType =
  | 'reference'
  | 'token'
  | 'date'
  | 'string'
  | 'number'
  | 'quantity'
  | 'uri'
  | 'composite'

/** A step of the way to an element. */
export interface Step {
  readonly name: string
  readonly repeats: boolean
  /** Only items whose member has this value count. */
  readonly where?: readonly [member: string, value: string]
}

/** An element that a parameter looks at. */
export interface Source {
  readonly path: readonly Step[]
  /** R4 data type; `deceased`: of a `Patient`, whether it has died, by a boolean or a date. */
  readonly dataType: string
  /** Of references: the one type of target that counts; null: all do. */
  readonly only: string | null
}

export interface SearchParameter {
  readonly name: string
  readonly type: ParameterType
  /** Of a composite: none. */
  readonly sources: readonly Source[]
  /** Of a reference: types it may be to; empty: any. */
  readonly targets: readonly string[]
  /** Names the person a document is about, whichever facility's `Patient` it refers to. */
  readonly isPerson: boolean
  readonly composite: Composite | null
}

export interface Composite {
  /** Each is one place where all components are looked for together. */
  readonly contexts: readonly (readonly Step[])[]
  /** Sources from the context. */
  readonly components: readonly Pick<SearchParameter, 'type' | 'sources'>[]
}

/** A `.` inside brackets separates nothing. */
const stepPattern = /([A-Za-z]+)(?:\[(?:([a-z]+)=([^\]]*))?(\]))?(?:\.|$)/g

/** Of every type (R4 §3.1.1.4.1), but `_id` and `_lastUpdated`, which are stored beside the document. */
const metaParameters: readonly SearchParameter[] = [
  simple('_tag', 'token', 'meta.tag[]:Coding'),
  simple('_security', 'token', 'meta.security[]:Coding'),
  simple('_profile', 'uri', 'meta.profile[]:canonical'),
  simple('_source', 'uri', 'meta.source:uri'),
]

/** Stored beside the document: its id, and when its version was published. */
const storedParameters: readonly SearchParameter[] = [
  simple('_id', 'token', 'id:id'),
  simple('_lastUpdated', 'date', 'meta.lastUpdated:instant'),
]

/** Members of a name or an address that a string parameter compares, each by itself (R4 §3.1.1.4.8); by data type. */
export const textMembers: Readonly<Record<string, readonly (readonly [member: string, repeats: boolean])[]>> =
  {
    HumanName: [
      ['text', false],
      ['family', false],
      ['given', true],
      ['prefix', true],
      ['suffix', true],
    ],
    Address: [
      ['text', false],
      ['line', true],
      ['city', false],
      ['district', false],
      ['state', false],
      ['postalCode', false],
      ['country', false],
    ],
  }

/** IHE PDQm (ITI-78), IHE MHD (ITI-67): beside those of R4. */
const ofProfiles: Readonly<Record<string, readonly SearchParameter[]>> = {
  Patient: [
    simple(
      'mothersMaidenName',
      'string',
      'extension[url=http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName].valueString:string',
    ),
  ],
  DocumentReference: [simple('creation', 'date', 'content[].attachment.creation:dateTime')],
}

/** The audit log and the register of consents have searches of their own; what facilities publish of these types is not searched. */
export const isSearched = (type: string): boolean =>
  type !== 'AuditEvent' && type !== 'Consent' && Object.hasOwn(parametersByType, type)

const byType = new Map<string, ReadonlyMap<string, SearchParameter>>()

const noParameters: ReadonlyMap<string, SearchParameter> = new Map()

/** By name; empty where the type is not searched. Any text may be asked for: only what R4 has is remembered. */
export function searchParametersByName(type: string): ReadonlyMap<string, SearchParameter> {
  const known = byType.get(type)
  if (known) return known
  if (!isSearched(type)) return noParameters
  const persons = personParam(type)
  const rows = parametersByType[type] ?? []
  const own = rows.map(([name, kind, paths, rest = []]): SearchParameter => {
    const composite = kind === 'composite'
    return {
      name,
      type: kind as ParameterType,
      sources: composite ? [] : paths.map(sourceOf),
      targets: composite ? [] : (rest as readonly string[]),
      isPerson: persons.includes(name),
      composite: composite
        ? {
            contexts: paths.map(stepsOf),
            components: (rest as readonly (readonly [string, readonly string[]])[]).map(
              ([type, sources]) => ({
                type: type as ParameterType,
                sources: sources.map(sourceOf),
              }),
            ),
          }
        : null,
    }
  })
  const all = [...storedParameters, ...metaParameters, ...own, ...(ofProfiles[type] ?? [])]
  const named = new Map(all.map((one) => [one.name, one]))
  byType.set(type, named)
  return named
}

export const searchParametersOf = (type: string): readonly SearchParameter[] => [
  ...searchParametersByName(type).values(),
]

/** Parameters of every search, about its answer. */
export const answerParameters = [
  '_count',
  '_cursor',
  '_elements',
  '_format',
  '_include',
  '_pretty',
  '_revinclude',
  '_sort',
  '_summary',
  '_total',
] as const

function simple(name: string, type: ParameterType, source: string): SearchParameter {
  return { name, type, sources: [sourceOf(source)], targets: [], isPerson: false, composite: null }
}

/** `path:DataType[:Target]`. A URL in the path has colons too, but no capital after one. */
function sourceOf(text: string): Source {
  const [, path = '', dataType = '', only] = /^(.*?):([A-Za-z]+)(?::([A-Za-z]+))?$/.exec(text) ?? []
  return { path: stepsOf(path), dataType, only: only ?? null }
}

function stepsOf(path: string): readonly Step[] {
  return [...path.matchAll(stepPattern)].map(([, name = '', member, value, bracket]) => ({
    name,
    repeats: bracket !== undefined,
    ...(member !== undefined && value !== undefined ? { where: [member, value] as const } : {}),
  }))
}
