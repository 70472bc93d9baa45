/**
 * SQL expressions for the elements that a search parameter looks at, in the stored text of a row of `document`. What a sender
 * put where an object is expected is passed over, never an error: `->>` and `json_each` fail on text that is no JSON.
 */
import type { Source, Step } from '../fhir/search-parameters.ts'

/** Gives a name to a table of this statement that no other has. */
export type Namer = (prefix: string) => string

/** Where elements are: the `from` that yields one row each (empty: exactly one, without a table), and how their parts read. */
export interface Place {
  readonly from: readonly string[]
  readonly where: readonly string[]
  /** A primitive member, or (empty name) the element itself. Null when absent. */
  value(member?: string): string
  /** Its JSON type. */
  type(member?: string): string
  /** The element as a JSON text: a root for further places. */
  object(): string
  /** Another place, a repeating member of this one. */
  each(member: string): Place
}

/** @param root a JSON text, e.g. `d.body` */
export const placeOf = (root: string, path: readonly Step[], namer: Namer): Place =>
  path.reduce<Place>(
    (place, step) =>
      step.repeats
        ? narrowed((place as Inner).each(step.name), step.where)
        : (place as Inner).member(step.name),
    at(root, '$', [], [], namer),
  )

interface Inner extends Place {
  member(name: string): Inner
  each(name: string): Inner
}

function at(
  base: string,
  path: string,
  from: readonly string[],
  where: readonly string[],
  namer: Namer,
): Inner {
  const to = (member: string): string => (member === '' ? path : `${path}.${member}`)
  return {
    from,
    where,
    // `->>` binds no tighter than `||`.
    value: (member = '') => (to(member) === '$' ? base : `(${base} ->> '${to(member)}')`),
    type: (member = '') => `json_type(${base}, '${to(member)}')`,
    object: () => (path === '$' ? base : `json_extract(${base}, '${path}')`),
    member: (name) => at(base, to(name), from, where, namer),
    each: (name) => item(`json_each(${base}, '${to(name)}')`, from, where, namer),
  }
}

/** A row of `json_each`: an object, or a primitive. */
function item(table: string, from: readonly string[], where: readonly string[], namer: Namer): Inner {
  const alias = namer('e')
  const object = `iif(${alias}.type = 'object', ${alias}.value, null)`
  const tables = [...from, `${table} as ${alias}`]
  const inner = at(object, '$', tables, where, namer)
  return {
    ...inner,
    value: (member = '') => (member === '' ? `${alias}.atom` : inner.value(member)),
    type: (member = '') => (member === '' ? `${alias}.type` : inner.type(member)),
  }
}

function narrowed(place: Place, where: Step['where']): Place {
  if (!where) return place
  const [member, value] = where
  return { ...place, where: [...place.where, `${place.value(member)} = '${value}'`] }
}

/** `exists` over the rows of a place; of one without a table the condition itself. */
export function someAt({ from, where }: Place, condition: string): string {
  const all = [...where, condition].join(' and ')
  return from.length === 0 ? `(${all})` : `exists (select 1 from ${from.join(', ')} where ${all})`
}

/** One row per value of a place: `select value as v`. */
export function valuesAt({ from, where }: Place, value: string): string {
  const filter = where.length > 0 ? ` where ${where.join(' and ')}` : ''
  return `select ${value} as v${from.length > 0 ? ` from ${from.join(', ')}` : ''}${filter}`
}

/** Codings (or what a token parameter compares like one) of an element: system and code, each an expression. */
export function tokensAt(
  place: Place,
  dataType: string,
): { readonly place: Place; readonly system: string; readonly code: string } {
  switch (dataType) {
    case 'CodeableConcept': {
      const coding = place.each('coding')
      return { place: coding, system: coding.value('system'), code: coding.value('code') }
    }
    case 'Coding':
      return { place, system: place.value('system'), code: place.value('code') }
    case 'Identifier':
      return { place, system: place.value('system'), code: place.value('value') }
    case 'ContactPoint':
      return { place, system: 'null', code: place.value('value') }
    case 'boolean':
      // `->>` gives 0 and 1, which a search never writes.
      return { place, system: 'null', code: place.type() }
    case 'deceased':
      return {
        place,
        system: 'null',
        code: `iif(${place.type('deceasedBoolean')} = 'true' or ${place.type('deceasedDateTime')} is not null, 'true', 'false')`,
      }
    default:
      return { place, system: 'null', code: place.value() }
  }
}

/** Of an element with a unit: Quantity and its kin, Money. */
export function quantityAt(place: Place, dataType: string) {
  const isMoney = dataType === 'Money'
  return {
    value: place.value('value'),
    system: isMoney ? "'urn:iso:std:iso:4217'" : place.value('system'),
    code: place.value(isMoney ? 'currency' : 'code'),
    unit: isMoney ? 'null' : place.value('unit'),
  }
}

const distantPast = "'0001-01-01T00:00:00.000Z'"
const distantFuture = "'9999-12-31T23:59:59.999Z'"

/** Ends of a date element as UTC text, like the stored columns (`fhir/date.ts`); null when it says none. */
export function rangeAt(place: Place, dataType: string): { readonly lo: string; readonly hi: string } {
  if (dataType === 'Period') return periodAt(place)
  if (dataType !== 'Timing') return { lo: startOf(place.value()), hi: endOf(place.value()) }
  const event = place.each('event')
  const [table = ''] = event.from.slice(-1)
  const bounds = periodAt(nested(place, 'repeat.boundsPeriod'))
  const span = (of: 'min' | 'max', value: string): string => `(select ${of}(${value}) from ${table})`
  return {
    lo: `coalesce(${span('min', startOf(event.value()))}, ${bounds.lo})`,
    hi: `coalesce(${span('max', endOf(event.value()))}, ${bounds.hi})`,
  }
}

const nested = (place: Place, prefix: string): Pick<Place, 'value'> => ({
  value: (member = '') => place.value(`${prefix}.${member}`),
})

function periodAt(place: Pick<Place, 'value'>): { readonly lo: string; readonly hi: string } {
  const [start, end] = [startOf(place.value('start')), endOf(place.value('end'))]
  return {
    lo: `coalesce(${start}, iif(${end} is not null, ${distantPast}, null))`,
    hi: `coalesce(${end}, iif(${start} is not null, ${distantFuture}, null))`,
  }
}

/**
 * First instant of a FHIR date, dateTime or instant. One with a time has seconds and a zone (R4); of its fraction the
 * milliseconds count.
 */
const startOf = (text: string): string => `(select case length(t)
    when 4 then t || '-01-01T00:00:00.000Z' when 7 then t || '-01T00:00:00.000Z' when 10 then t || 'T00:00:00.000Z'
    else ${second} || iif(substr(t, 20, 1) = '.', ${millis}, '.000Z') end from (select ${text} as t))`

const endOf = (text: string): string => `(select case length(t)
    when 4 then t || '-12-31T23:59:59.999Z'
    when 7 then strftime('%Y-%m-%dT23:59:59.999Z', t || '-01', '+1 month', '-1 day')
    when 10 then t || 'T23:59:59.999Z'
    else ${second} || iif(substr(t, 20, 1) = '.', ${millis}, '.999Z') end from (select ${text} as t))`

const zone = "iif(t like '%Z', 'Z', substr(t, -6))"
const second = `strftime('%Y-%m-%dT%H:%M:%S', substr(t, 1, 19) || ${zone})`
const millis = `substr(substr(t, 20, length(t) - 19 - length(${zone})) || '000', 1, 4) || 'Z'`

/** Each source of a parameter as a place in the stored text `root`. */
export const placesOf = (
  sources: readonly Source[],
  root: string,
  namer: Namer,
): readonly { readonly source: Source; readonly place: Place }[] =>
  sources.map((source) => ({ source, place: placeOf(root, source.path, namer) }))
