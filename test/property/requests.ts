/** Random requests, drawn from the tables that drive the app: its operations, and the search parameters of each type. */
import fc from 'fast-check'
import { operations } from '../../src/app.ts'
import type { Operation } from '../../src/disclosure/operation.ts'
import { parseDateSearch } from '../../src/fhir/date.ts'
import {
  answerParameters,
  isSearched,
  type ParameterType,
  type SearchParameter,
  searchParametersOf,
} from '../../src/fhir/search-parameters.ts'
import { resourceTypes } from '../../src/fhir/types.ts'
import { dateColumns, tokenColumn } from '../../src/records/search-predicate.ts'
import { hasToken } from './oracle.ts'
import { categories, codes, type Document, identifierSystem, type World } from './world.ts'

/** Every operation by which somebody reads on `/fhir`. */
export const readOperations: readonly Operation[] = operations.filter(
  ({ method, path }) => method === 'GET' && path.startsWith('/fhir'),
)

/** Those that answer from documents and the register. The log's answers hold earlier accesses: `audit-event-search.test.ts`. */
export const documentOperations = readOperations.filter(({ action }) => action !== 'audit-read')

export interface Parameter {
  readonly name: string
  readonly value: string
}

export interface Drawn {
  /** Its name. */
  readonly operation: string
  readonly param: Readonly<Record<string, string>>
  readonly parameters: readonly Parameter[]
  readonly path: string
}

/** What requests are about. */
export interface Asked {
  readonly world: World
  /** Source records of persons whom the caller cares for: asked about more often than others. */
  readonly cared: readonly string[]
  /** Only what is answered with what was asked for, where the caller may have it. */
  readonly isValid: boolean
}

const unknownId = 'z'.repeat(26)

/** Values that one path parameter may have. @throws Error for a parameter that nobody has taught this generator yet. */
function pathValues({ world }: Asked, name: string): fc.Arbitrary<string> {
  switch (name) {
    case 'type':
      return fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('Patient', 'Observation', ...world.types) },
        { weight: 1, arbitrary: fc.constantFrom(...resourceTypes, 'Nonsense') },
      )
    case 'id':
      return fc.constantFrom(
        unknownId,
        'x',
        ...world.sources.map(({ id }) => id),
        ...world.documents.map(({ id }) => id),
      )
    case 'version':
      return fc.constantFrom('1', '2', '2', '3', '6', '0', 'x')
    default:
      throw new Error(`teach the generator the path parameter ${name}: what it may reveal must be tested`)
  }
}

/** Path parameters of one document, of persons whom the caller cares for where there are any. */
function stored(asked: Asked, names: readonly string[]): fc.Arbitrary<string[]> {
  const { world, cared } = asked
  const near = world.documents.filter(({ source }) => cared.includes(source))
  return fc
    .constantFrom(...(near.length > 0 ? near : world.documents))
    .chain(({ type, id }) =>
      fc.tuple(
        ...names.map((name) =>
          name === 'type' || name === 'id'
            ? fc.constant(name === 'type' ? type : id)
            : pathValues(asked, name),
        ),
      ),
    )
}

/** A parameter of no type. */
const noise: fc.Arbitrary<Parameter> = fc.constant({ name: 'name', value: 'x' })

/** A reference to a `Patient`, mostly of somebody whom the caller cares for. */
const person = ({ world, cared }: Asked): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom('', 'Patient/'),
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...(cared.length > 0 ? cared : [unknownId])) },
        { weight: 1, arbitrary: fc.constantFrom(unknownId, ...world.sources.map(({ id }) => id)) },
      ),
    )
    .map((parts) => parts.join(''))

/** What of a document a parameter looks at, where these worlds know it; the rest looks at what they leave out. */
type Meaning = 'person' | 'category' | 'code' | 'date' | 'identifier' | 'birth-date' | 'other'

function meaningOf(type: string, parameter: SearchParameter): Meaning {
  if (parameter.isPerson) return 'person'
  if (type === 'Patient' && parameter.name === 'identifier') return 'identifier'
  if (type === 'Patient' && parameter.name === 'birthdate') return 'birth-date'
  if (parameter.type === 'token') return tokenColumn(type, parameter) ?? 'other'
  return parameter.type === 'date' && dateColumns(type, parameter, 'd')?.lo === 'd.date_lo' ? 'date' : 'other'
}

const dates = fc
  .tuple(
    fc.constantFrom('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'),
    fc.constantFrom('2024', '2024-01-01', '2023-06', '2024-01-01T08:30:00.000Z', '1990'),
  )
  .map((parts) => parts.join(''))

const tokens = (values: readonly string[]) =>
  fc
    .array(fc.constantFrom(...values, '718-7', 'laboratory', 'urn:other|', 'none'), {
      minLength: 1,
      maxLength: 2,
    })
    .map((all) => all.join(','))

/** Values of one search parameter, of the world and not. */
function searchValues(asked: Asked, type: string, parameter: SearchParameter): fc.Arbitrary<string> {
  switch (meaningOf(type, parameter)) {
    case 'person':
      return person(asked)
    case 'identifier':
      return fc.constantFrom(...['TREM', 'GAGN', 'NOBODY'].map((value) => `${identifierSystem}|${value}`))
    case 'birth-date':
      return fc.constantFrom('1950-01-01', '1960-02-02', '2000-01-01')
    case 'category':
      return tokens(categories)
    case 'code':
      return tokens(codes)
    case 'date':
      return dates
    case 'other':
      return otherValues(asked, parameter.type)
  }
}

/** Exhaustive over the types of the table. */
function otherValues(asked: Asked, type: ParameterType): fc.Arbitrary<string> {
  const ids = [...asked.world.documents, ...asked.world.sources].map(({ id }) => id)
  switch (type) {
    case 'reference':
      return fc.constantFrom(
        unknownId,
        ...asked.world.documents.map(({ type, id }) => `${type}/${id}`),
        ...ids.map((id) => `Patient/${id}`),
      )
    case 'token':
      return fc.constantFrom('final', 'entered-in-error', ...codes, ...ids, 'true', 'false')
    case 'date':
      return dates
    case 'string':
      return fc.constantFrom('Tremblay', 'TREM', 'g', 'text 1')
    case 'number':
      return fc.constantFrom('1', 'gt0', '5.40')
    case 'quantity':
      return fc.constantFrom('5', 'lt5||mg', 'ap5|urn:unit|mg')
    case 'uri':
      return fc.constantFrom('urn:x', 'http://example.org/x')
    case 'composite':
      return fc.constantFrom('718-7$5', '718-7$gt2024', '718-7$final')
  }
}

/** Parameters beyond what makes a search complete: any of the type, with and without modifiers, chains both ways. */
function further(asked: Asked, type: string): fc.Arbitrary<readonly Parameter[]> {
  const table = isSearched(type) ? searchParametersOf(type) : []
  if (table.length === 0) return fc.constant([])
  const one = fc.constantFrom(...table).chain((parameter) => {
    const modifiers = { string: [':exact', ':contains'], token: [':not'] } as Partial<
      Record<ParameterType, string[]>
    >
    const missing = fc
      .constantFrom('true', 'false')
      .map((value) => ({ name: `${parameter.name}:missing`, value }))
    const plain = fc
      .tuple(fc.constantFrom('', ...(modifiers[parameter.type] ?? [])), searchValues(asked, type, parameter))
      .map(([modifier, value]) => ({ name: `${parameter.name}${modifier}`, value }))
    return fc.oneof(
      { weight: 3, arbitrary: plain },
      { weight: 1, arbitrary: missing },
      chained(asked, parameter),
    )
  })
  const reverse = fc.constantFrom(...asked.world.types).chain((other) => {
    const references = isSearched(other)
      ? searchParametersOf(other).filter((one) => one.type === 'reference')
      : []
    return references.length === 0
      ? noise
      : fc
          .constantFrom(...references)
          .map(({ name }) => ({ name: `_has:${other}:${name}:_lastUpdated`, value: 'gt2000' }))
  })
  return fc.array(fc.oneof({ weight: 6, arbitrary: one }, { weight: 1, arbitrary: reverse }), {
    maxLength: 2,
  })
}

/** A condition on what a reference is to. */
function chained(asked: Asked, { name, type, targets }: SearchParameter): fc.Arbitrary<Parameter> {
  if (type !== 'reference') return noise
  const [target = 'Patient'] = targets.filter((one) => isSearched(one))
  return fc.oneof(
    fc.constant({ name: `${name}:${target}._lastUpdated`, value: 'gt2000' }),
    fc.constantFrom(...['TREM', 'NOBODY']).map((value) => ({
      name: `${name}:${target}.identifier`,
      value: `${identifierSystem}|${value}`,
    })),
    otherValues(asked, 'token').map((value) => ({ name: `${name}:${target}._id`, value })),
  )
}

/** Of the parameters about the answer; a cursor is had by following `next`. */
function answerValues(name: (typeof answerParameters)[number]): fc.Arbitrary<string> | null {
  switch (name) {
    case '_count':
      return fc.constantFrom('1', '1', '2', '2', '3', '50')
    case '_format':
      return fc.constantFrom('json')
    case '_cursor':
      return fc.constant('made-up')
    case '_pretty':
      return fc.constantFrom('true', 'false')
    case '_summary':
      return fc.constantFrom('true', 'text', 'data', 'count', 'false')
    case '_elements':
      return fc.constantFrom('status', 'code,status', 'identifier')
    case '_total':
      return fc.constantFrom('accurate', 'none')
    case '_sort':
      return fc.constantFrom('_lastUpdated', '-_lastUpdated', '_id', 'date', '-code', 'status,_id', 'family')
    case '_include':
    case '_revinclude':
      return null
  }
}

/** `times` in `times + 4`. */
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: times, arbitrary }, { weight: 4, arbitrary: fc.constant(null) })

function searchQuery(asked: Asked, type: string): fc.Arbitrary<readonly Parameter[]> {
  const named = (name: string, values: fc.Arbitrary<string>) => values.map((value) => ({ name, value }))
  const { isValid } = asked
  const table = isSearched(type) ? searchParametersOf(type) : []
  const [patient] = table.filter(({ isPerson }) => isPerson)
  const known = table.filter((parameter) => meaningOf(type, parameter) !== 'other')
  const drawn = known.map((parameter) => {
    const meaning = meaningOf(type, parameter)
    const one = named(parameter.name, searchValues(asked, type, parameter))
    // Both of an identity look-up, and one name of the person: what makes a search complete.
    const isRequired = parameter === patient || meaning === 'identifier' || meaning === 'birth-date'
    if (isRequired) return isValid ? one : sometimes(one, 12)
    return meaning === 'person' && isValid ? fc.constant(null) : sometimes(one, 1)
  })
  const includes = fc.constantFrom('_include', '_revinclude').chain((name): fc.Arbitrary<Parameter> => {
    const from = name === '_include' ? [type] : asked.world.types
    const references = from.flatMap((of) =>
      (isSearched(of) ? searchParametersOf(of) : [])
        .filter((one) => one.type === 'reference')
        .map((one) => `${of}:${one.name}`),
    )
    return references.length === 0 ? noise : fc.constantFrom(...references).map((value) => ({ name, value }))
  })
  const answer = answerParameters.map((name) => {
    const values = answerValues(name)
    // What is complete is asked for whole and in the usual order.
    const isPlain = name === '_count' || name === '_format' || name === '_pretty'
    if (values === null || (isValid && !isPlain)) return fc.constant(null)
    return sometimes(named(name, values), name === '_count' ? 12 : 1)
  })
  const wild = isValid ? fc.constant([]) : fc.oneof(fc.constant([]), further(asked, type))
  const around = isValid ? [] : [sometimes(noise, 1), sometimes(includes, 2)]
  return fc
    .tuple(wild, fc.tuple(...drawn, ...answer, ...around))
    .map(([more, all]) => [...more, ...all.filter((one) => one !== null)])
}

export function requestIn(asked: Asked, operation: Operation): fc.Arbitrary<Drawn> {
  const names = [...operation.path.matchAll(/:([a-z]+)/gi)].map(([, name]) => name ?? '')
  const any = fc.tuple(...names.map((name) => pathValues(asked, name)))
  const isOne = names.includes('type') && names.includes('id')
  return (
    isOne ? fc.oneof({ weight: 1, arbitrary: any }, { weight: 5, arbitrary: stored(asked, names) }) : any
  )
    .filter((values) => !asked.isValid || operation.name !== 'search-type' || isSearched(values[0] ?? ''))
    .chain((values) => {
      const param = Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))
      // A name and, in braces, what it matches.
      const address = operation.path.replaceAll(
        /:([a-z]+)(?:\{(?:[^{}]|\{[^{}]*\})*\})?/gi,
        (_, name) => param[name] ?? '',
      )
      return queryOf(asked, operation.name, param).map((parameters) => {
        const query = new URLSearchParams(parameters.map(({ name, value }) => [name, value])).toString()
        return {
          operation: operation.name,
          param,
          parameters,
          path: query === '' ? address : `${address}?${query}`,
        }
      })
    })
}

/** @throws Error for an operation that nobody has taught this generator yet. */
function queryOf(
  asked: Asked,
  operation: string,
  { type = '' }: Readonly<Record<string, string>>,
): fc.Arbitrary<readonly Parameter[]> {
  switch (operation) {
    case 'search-type':
      return searchQuery(asked, type)
    case 'consent-search':
      return fc
        .tuple(
          person(asked).map((value) => ({ name: 'patient', value })),
          sometimes(noise, asked.isValid ? 0 : 1),
        )
        .map((all) => all.filter((one) => one !== null))
    case 'history':
    case 'history-type':
      return fc
        .tuple(
          sometimes(
            fc.constantFrom('1', '1', '2', '50').map((value) => ({ name: '_count', value })),
            8,
          ),
          sometimes(
            fc
              .constantFrom('2023', '2023-05-01T00:00:00.001Z', '2024-03-01T00:00:00Z', '2030')
              .map((value) => ({ name: '_since', value })),
            1,
          ),
          sometimes(noise, asked.isValid ? 0 : 1),
        )
        .map((all) => all.filter((one) => one !== null))
    case 'read':
    case 'vread':
    case 'consent-read':
    case 'consent-history':
      return fc.constantFrom<(readonly Parameter[])[]>([], [{ name: '_format', value: 'json' }])
    default:
      throw new Error(`teach the generator the operation ${operation}: what it may reveal must be tested`)
  }
}

/** Whether a document is what the parameters ask for, one by one. */
export function matches(world: World, { parameters, param }: Drawn, document: Document): boolean {
  if (document.type !== param.type) return false
  const table = searchParametersOf(document.type)
  // Of a type that is about nobody, one that holds somebody inside is found by its id only.
  const isAboutSomebody = document.type === 'Patient' || table.some(({ isPerson }) => isPerson)
  if (!isAboutSomebody && document.person !== '') return false
  return parameters.every(({ name, value }) => {
    const parameter = table.find((one) => one.name === name)
    return parameter === undefined || meets(world, meaningOf(document.type, parameter), value, document)
  })
}

function meets(world: World, meaning: Meaning, value: string, document: Document): boolean {
  const hasAny = (values: readonly string[]): boolean =>
    value
      .split(',')
      .some((token) =>
        values.some((text) => (token.endsWith('|') ? text.startsWith(token) : hasToken(text, token))),
      )
  switch (meaning) {
    case 'other':
      return true
    case 'person':
      return (
        document.source !== '' &&
        document.person === world.sources.find(({ id }) => id === value.replace('Patient/', ''))?.person
      )
    case 'category':
      return hasAny(document.categories)
    case 'code':
      return hasAny(document.codes)
    case 'identifier':
      return `${identifierSystem}|${document.key?.value}` === value
    case 'birth-date':
      return document.key?.birthDate === value
    case 'date':
      return meetsDate(value, document)
  }
}

/** R4 §3.1.1.4.6, as ranges of instants. */
function meetsDate(value: string, { dateLo, dateHi }: Document): boolean {
  const wanted = parseDateSearch(value)
  if (!wanted || dateLo === '') return false
  const [lo, hi, from, to] = [dateLo, dateHi, wanted.lo, wanted.hi].map(Date.parse) as [
    number,
    number,
    number,
    number,
  ]
  switch (wanted.prefix) {
    case 'eq':
      return from <= lo && hi <= to
    case 'ne':
      return !(from <= lo && hi <= to)
    case 'gt':
      return hi > to
    case 'ge':
      return hi >= from
    case 'lt':
      return lo < from
    case 'le':
      return lo <= to
    case 'sa':
      return lo > to
    case 'eb':
      return hi < from
    case 'ap':
      return lo <= to && from <= hi
  }
}
