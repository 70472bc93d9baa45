/**
 * FHIR dates as ranges. A partial date stands for every instant it may mean: `2024-01` is 2024-01-01T00:00:00.000Z to
 * 2024-01-31T23:59:59.999Z. Dates without a time carry no zone and are read as UTC, in stored values and in searches
 * alike.
 */
import { isObject } from './json.ts'

/** UTC, ISO 8601 with milliseconds, both ends inclusive; so the text order is the time order. */
export interface DateRange {
  readonly lo: string
  readonly hi: string
}

/** The absent date. */
export const noDate: DateRange = { lo: '', hi: '' }

/** Ends of a `Period` that names only one. */
const distantPast = '0001-01-01T00:00:00.000Z'
const distantFuture = '9999-12-31T23:59:59.999Z'

const pattern =
  /^(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01])(?:T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?)?)?$/

/** FHIR `date`, `dateTime` or `instant`; null when it is none or names no real day. */
export function parseDate(text: string): DateRange | null {
  const match = pattern.exec(text)
  if (!match || match[1] === '0000') return null
  const [, year = '', month, day, hour, minute, second, fraction, zone] = match
  const days = `${year}-${month ?? '01'}-${day ?? '01'}`
  if (day !== undefined && !isRealDay(days)) return null
  if (hour === undefined) return { lo: `${days}T00:00:00.000Z`, hi: endOfDay(year, month, day) }
  // A leap second has no text of its own in ECMAScript: it counts as the end of second 59.
  const isLeap = second === '60'
  const millis = isLeap ? '999' : (fraction?.slice(1) ?? '').padEnd(3, '0').slice(0, 3)
  const start = Date.parse(
    `${days}T${hour}:${minute}:${isLeap ? '59' : (second ?? '00')}.${millis}${zone ?? 'Z'}`,
  )
  const width = second === undefined ? 59_999 : fraction === undefined && !isLeap ? 999 : 0
  const lo = toText(start)
  const hi = toText(start + width)
  return lo === null || hi === null ? null : { lo, hi }
}

/** The range of a date element of any R4 type: date, dateTime, instant, Period or Timing. `noDate` when it says none. */
export function rangeOf(value: unknown): DateRange {
  if (typeof value === 'string') return parseDate(value) ?? noDate
  if (!isObject(value)) return noDate
  if (Array.isArray(value.event)) return span(value.event.map(rangeOf))
  if (isObject(value.repeat)) return rangeOf(value.repeat.boundsPeriod)
  const start = rangeOf(value.start)
  const end = rangeOf(value.end)
  if (start.lo === '' && end.hi === '') return noDate
  return { lo: start.lo || distantPast, hi: end.hi || distantFuture }
}

export type DatePrefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap'

export interface DateSearch extends DateRange {
  readonly prefix: DatePrefix
}

/** Value of a date search parameter, e.g. `ge2024-01` (FHIR R4, Search, prefixes); null when it is none. */
export function parseDateSearch(text: string): DateSearch | null {
  const match = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d.*)$/.exec(text)
  const range = match ? parseDate(match[2] ?? '') : null
  return range && { prefix: (match?.[1] ?? 'eq') as DatePrefix, ...range }
}

function span(ranges: readonly DateRange[]): DateRange {
  const dated = ranges.filter(({ lo }) => lo !== '')
  const lo = dated.map((range) => range.lo).sort()[0]
  const hi = dated
    .map((range) => range.hi)
    .sort()
    .at(-1)
  return lo === undefined || hi === undefined ? noDate : { lo, hi }
}

/** `YYYY-MM-DD` in the calendar. */
export function isRealDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00.000Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day)
}

function endOfDay(year: string, month: string | undefined, day: string | undefined): string {
  if (month === undefined) return `${year}-12-31T23:59:59.999Z`
  if (day !== undefined) return `${year}-${month}-${day}T23:59:59.999Z`
  const last = ['31', '30', '29', '28'].find((candidate) => isRealDay(`${year}-${month}-${candidate}`))
  return `${year}-${month}-${last}T23:59:59.999Z`
}

/** Null outside the years 0001 to 9999, which an offset can leave. */
function toText(time: number): string | null {
  const text = Number.isNaN(time) ? '' : new Date(time).toISOString()
  return /^\d{4}-/.test(text) && !text.startsWith('0000') ? text : null
}
