/** Random requests, drawn from the tables that drive the app: its operations, and the search parameters of each type. */
import fc from 'fast-check'
import { operations } from '../../src/app.ts'
import type { Operation } from '../../src/disclosure/operation.ts'
import { parseDateSearch } from '../../src/fhir/date.ts'
import {
  answerParameters,
  isSearched,
  type SearchParameter,
  searchParametersOf,
} from '../../src/fhir/search-parameters.ts'
import { resourceTypes } from '../../src/fhir/types.ts'
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
const noise = fc.constant({ name: 'name', value: 'x' })

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

/** Values of one search parameter, of the world and not. Exhaustive over the types of the table. */
function searchValues(asked: Asked, { type, of }: SearchParameter): fc.Arbitrary<string> {
  switch (type) {
    case 'reference':
      return person(asked)
    case 'token':
      if (of === 'identifier')
        return fc.constantFrom(...['TREM', 'GAGN', 'NOBODY'].map((value) => `${identifierSystem}|${value}`))
      return fc
        .array(
          fc.constantFrom(
            ...(of === 'category' ? categories : codes),
            '718-7',
            'laboratory',
            'urn:other|',
            'none',
          ),
          {
            minLength: 1,
            maxLength: 2,
          },
        )
        .map((tokens) => tokens.join(','))
    case 'date':
      if (of === 'birth-date') return fc.constantFrom('1950-01-01', '1960-02-02', '2000-01-01')
      return fc
        .tuple(
          fc.constantFrom('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'),
          fc.constantFrom('2024', '2024-01-01', '2023-06', '2024-01-01T08:30:00.000Z', '1990'),
        )
        .map((parts) => parts.join(''))
  }
}

/** Of the parameters about the answer; a cursor is had by following `next`. */
function answerValues(name: (typeof answerParameters)[number]): fc.Arbitrary<string> | null {
  switch (name) {
    case '_count':
      return fc.constantFrom('1', '1', '2', '2', '3', '50')
    case '_format':
      return fc.constantFrom('json')
    case '_pretty':
      return fc.constantFrom('true', 'false')
    case '_cursor':
      return fc.constant('made-up')
  }
}

/** `times` in `times + 4`. */
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: times, arbitrary }, { weight: 4, arbitrary: fc.constant(null) })

function searchQuery(asked: Asked, type: string): fc.Arbitrary<readonly Parameter[]> {
  const named = (name: string, values: fc.Arbitrary<string>) => values.map((value) => ({ name, value }))
  const { isValid } = asked
  const table = isSearched(type) ? searchParametersOf(type) : []
  const [patient] = table.filter(({ of }) => of === 'person')
  const drawn = table.map((parameter) => {
    const one = named(parameter.name, searchValues(asked, parameter))
    // Both of an identity look-up, and one name of the person: what makes a search complete.
    const isRequired = parameter === patient || parameter.of === 'identifier' || parameter.of === 'birth-date'
    if (isRequired) return isValid ? one : sometimes(one, 12)
    return parameter.of === 'person' && isValid ? fc.constant(null) : sometimes(one, 1)
  })
  const answer = answerParameters.map((name) => {
    const values = answerValues(name)
    if (values === null || (isValid && name === '_cursor')) return fc.constant(null)
    return sometimes(named(name, values), name === '_count' ? 12 : 1)
  })
  return fc
    .tuple(...drawn, ...answer, isValid ? fc.constant(null) : sometimes(noise, 1))
    .map((all) => all.filter((one) => one !== null))
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
  return parameters.every(({ name, value }) => {
    const parameter = table.find((one) => one.name === name)
    return parameter === undefined || meets(world, parameter, value, document)
  })
}

function meets(world: World, { of }: SearchParameter, value: string, document: Document): boolean {
  const hasAny = (values: readonly string[]): boolean =>
    value
      .split(',')
      .some((token) =>
        values.some((text) => (token.endsWith('|') ? text.startsWith(token) : hasToken(text, token))),
      )
  switch (of) {
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
