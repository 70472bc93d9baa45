/**
 * What the conditions of a search mean: a name with its modifier, a chain (`ref:Type.param`) or a reverse chain
 * (`_has:Type:ref:param`), and its values (FHIR R4 §3.1.1.4).
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { unknownParameter as unknownOf } from './nearest.ts'
import type { Issue } from './outcome.ts'
import {
  answerParameters,
  isSearched,
  type SearchParameter,
  searchParametersByName,
} from './search-parameters.ts'
import { cut, readValues, type Value, wrong } from './search-values.ts'
import { resourceTypes } from './types.ts'

/** A condition on the elements of the resource itself. */
export type OwnFilter =
  | {
      readonly kind: 'match'
      readonly parameter: SearchParameter
      /** `exact` and `contains` of texts; `not` of tokens. */
      readonly modifier: 'exact' | 'contains' | 'not' | null
      /** Any of them is enough. */
      readonly values: readonly Value[]
    }
  | { readonly kind: 'missing'; readonly parameter: SearchParameter; readonly isMissing: boolean }

/** A condition on what the resource refers to, or what refers to it. */
export interface LinkFilter {
  readonly kind: 'chain' | 'has'
  /** The reference: of the resource itself (`chain`), of the other (`has`). */
  readonly parameter: SearchParameter
  /** Types of the other resource. */
  readonly types: readonly string[]
  /** By type of the other resource: the same name may mean other elements. */
  readonly filter: ReadonlyMap<string, OwnFilter>
}

export type Filter = OwnFilter | LinkFilter

type Read = Result<Filter, readonly Issue[]>

/**
 * One condition of a search of `type`. Unknown names and modifiers are issues with the code `not-supported`.
 *
 * @param name as received, e.g. `code:not`, `performer:Practitioner.name`, `_has:Observation:encounter:code`
 */
export function readFilter(type: string, name: string, text: string, baseUrl: string): Read {
  if (name.startsWith('_has:')) return readHas(type, name, text, baseUrl)
  const dot = name.indexOf('.')
  return dot < 0 ? readOwn(type, name, name, text, baseUrl) : readChain(type, name, dot, text, baseUrl)
}

/** @param whole the name as received, for what is said of it */
function readOwn(
  type: string,
  whole: string,
  name: string,
  text: string,
  baseUrl: string,
): Result<OwnFilter, readonly Issue[]> {
  const [code = '', modifier, ...rest] = name.split(':')
  const parameter = searchParametersByName(type).get(code)
  if (!parameter) return err([unknownParameter(type, whole)])
  if (rest.length > 0) return err([unknownModifier(whole)])
  if (modifier === undefined) return matching(whole, parameter, null, text, baseUrl)
  if (modifier === 'missing') {
    if (text !== 'true' && text !== 'false')
      return err([wrong(whole, 'attend `true` ou `false`', 'expects `true` or `false`')])
    return ok({ kind: 'missing', parameter, isMissing: text === 'true' })
  }
  if (parameter.type === 'string' && (modifier === 'exact' || modifier === 'contains'))
    return matching(whole, parameter, modifier, text, baseUrl)
  if (parameter.type === 'token' && modifier === 'not')
    return matching(whole, parameter, modifier, text, baseUrl)
  if (parameter.type === 'reference' && resourceTypes.has(modifier))
    return ofType(whole, parameter, modifier, text, baseUrl)
  return err([unknownModifier(whole)])
}

function matching(
  name: string,
  parameter: SearchParameter,
  modifier: 'exact' | 'contains' | 'not' | null,
  text: string,
  baseUrl: string,
): Result<OwnFilter, readonly Issue[]> {
  const issues: Issue[] = []
  const values = readValues(name, text, parameter, baseUrl, issues)
  return issues.length > 0 ? err(issues) : ok({ kind: 'match', parameter, modifier, values })
}

/** `subject:Patient=x`: as `subject=Patient/x`. */
function ofType(
  name: string,
  parameter: SearchParameter,
  type: string,
  text: string,
  baseUrl: string,
): Result<OwnFilter, readonly Issue[]> {
  const read = matching(name, parameter, null, text, baseUrl)
  if (!read.ok || read.value.kind !== 'match') return read
  const values = read.value.values.map(
    (value): Value =>
      value.of === 'reference' && value.kind === 'local' ? { ...value, type: value.type ?? type } : value,
  )
  const isOther = (value: Value): boolean =>
    value.of !== 'reference' || value.kind !== 'local' || value.type !== type
  if (values.some(isOther)) return err([wrong(name, `attend un id de ${type}`, `expects an id of ${type}`)])
  return ok({ ...read.value, values })
}

function readChain(type: string, name: string, dot: number, text: string, baseUrl: string): Read {
  const [code = '', target, ...rest] = name.slice(0, dot).split(':')
  const inner = name.slice(dot + 1)
  const parameter = searchParametersByName(type).get(code)
  if (!parameter) return err([unknownParameter(type, name)])
  if (parameter.type !== 'reference' || rest.length > 0 || (target !== undefined && !isSearched(target)))
    return err([unknownModifier(name)])
  if (inner.includes('.')) return err([tooLong(name)])
  const types = target === undefined ? targetsWith(parameter, inner) : [target]
  if (types.length === 0) return err([unknownParameter(parameter.targets[0] ?? type, name)])
  if (types.length > limits.maxChainTypes)
    return err([
      wrong(
        name,
        `désigne plusieurs types : nommez-en un, \`${cut(code)}:${types[0]}.${cut(inner)}\``,
        `means several types: name one, \`${cut(code)}:${types[0]}.${cut(inner)}\``,
      ),
    ])
  return linked('chain', parameter, types, name, inner, text, baseUrl)
}

/** Types a reference may be to that have a parameter of this name. */
function targetsWith({ targets, sources }: SearchParameter, inner: string): readonly string[] {
  const [code = ''] = inner.split(':')
  const only = sources.flatMap((source) => source.only ?? [])
  return (only.length > 0 ? only : targets).filter((type) => searchParametersByName(type).has(code))
}

function readHas(type: string, name: string, text: string, baseUrl: string): Read {
  const [, other = '', code = '', ...rest] = name.split(':')
  const inner = rest.join(':')
  const parameter = searchParametersByName(other).get(code)
  if (!isSearched(other) || parameter?.type !== 'reference' || inner === '')
    return err([unknownParameter(type, name)])
  if (inner.includes('.') || inner.startsWith('_has')) return err([tooLong(name)])
  const { targets } = parameter
  if (targets.length > 0 && !targets.includes(type)) return err([unknownParameter(type, name)])
  return linked('has', parameter, [other], name, inner, text, baseUrl)
}

function linked(
  kind: LinkFilter['kind'],
  parameter: SearchParameter,
  types: readonly string[],
  name: string,
  inner: string,
  text: string,
  baseUrl: string,
): Read {
  const filter = new Map<string, OwnFilter>()
  for (const type of types) {
    const read = readOwn(type, name, inner, text, baseUrl)
    if (!read.ok) return read
    filter.set(type, read.value)
  }
  return ok({ kind, parameter, types, filter })
}

const unknownParameter = (type: string, name: string): Issue =>
  unknownOf(type, name, [...searchParametersByName(type).keys(), ...answerParameters, '_has'])

const unknownModifier = (name: string): Issue => ({
  code: 'not-supported',
  expression: cut(name),
  text: {
    fr: `Modificateur non offert : « ${cut(name)} ».`,
    en: `This modifier is not offered: "${cut(name)}".`,
  },
})

const tooLong = (name: string): Issue => ({
  code: 'not-supported',
  expression: cut(name),
  text: {
    fr: `Une chaîne va d’une ressource à une autre, pas plus loin : « ${cut(name)} ».`,
    en: `A chain goes from one resource to another, no further: "${cut(name)}".`,
  },
})
