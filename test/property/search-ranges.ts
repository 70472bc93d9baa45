/** Dates, numbers and quantities as R4 §3.1.1.4.4 to 3.1.1.4.7 and 3.1.1.4.11 compare them: as ranges, in exact arithmetic. */
import type { TypedValue } from '@medplum/core'

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap'
export const prefixes: readonly Prefix[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']

/** Milliseconds since 1970, both ends inclusive. */
export interface Range {
  readonly lo: number
  readonly hi: number
}

/** A prefix and what follows it; `eq` where there is none. */
function split(text: string): readonly [Prefix, string] {
  const prefix = prefixes.find((one) => text.startsWith(one))
  return prefix ? [prefix, text.slice(2)] : ['eq', text]
}

const dateForm =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

/** Everything that a partial date may mean; without a zone it is UTC. Null when the text is no date. */
export function dateRange(text: string): Range | null {
  const found = dateForm.exec(text)
  if (!found) return null
  const [, year, month, day, hour, minute, second, fraction, zone] = found
  const at = (y: number, m: number, d: number, h = 0, min = 0, s = 0, ms = 0): number => {
    // Years below 100 would mean the twentieth century.
    const date = new Date(Date.UTC(2000, m, d, h, min, s, ms))
    date.setUTCFullYear(y + date.getUTCFullYear() - 2000)
    return date.getTime()
  }
  const y = Number(year)
  if (month === undefined) return { lo: at(y, 0, 1), hi: at(y + 1, 0, 1) - 1 }
  const m = Number(month) - 1
  if (day === undefined) return { lo: at(y, m, 1), hi: at(y + (m === 11 ? 1 : 0), (m + 1) % 12, 1) - 1 }
  const d = Number(day)
  if (hour === undefined) return { lo: at(y, m, d), hi: at(y, m, d) + 86_399_999 }
  const ms = Number((fraction ?? '').padEnd(3, '0').slice(0, 3))
  const lo = at(y, m, d, Number(hour), Number(minute), Number(second ?? 0), ms) - offsetMs(zone)
  const width = second === undefined ? 59_999 : fraction === undefined ? 999 : 0
  return { lo, hi: lo + width }
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const [hours, minutes] = zone.slice(1).split(':').map(Number)
  return (zone.startsWith('-') ? -1 : 1) * ((hours ?? 0) * 60 + (minutes ?? 0)) * 60_000
}

interface Period {
  readonly start?: string
  readonly end?: string
}
interface Timing {
  readonly event?: readonly string[]
  readonly repeat?: { readonly boundsPeriod?: Period }
}

/** Null: the element says no date. */
export function storedRange({ type, value }: TypedValue): Range | null {
  switch (type) {
    case 'date':
    case 'dateTime':
    case 'instant':
      return dateRange(value as string)
    case 'Period':
      return periodRange(value as Period)
    case 'Timing': {
      const { event = [], repeat } = value as Timing
      const events = event.map(dateRange).filter((range) => range !== null)
      if (events.length > 0)
        return { lo: Math.min(...events.map(({ lo }) => lo)), hi: Math.max(...events.map(({ hi }) => hi)) }
      return repeat?.boundsPeriod ? periodRange(repeat.boundsPeriod) : null
    }
    default:
      return null
  }
}

/** An end that is not said is open. */
function periodRange({ start, end }: Period): Range | null {
  if (start === undefined && end === undefined) return null
  return {
    lo: start === undefined ? Number.NEGATIVE_INFINITY : (dateRange(start)?.lo ?? Number.NaN),
    hi: end === undefined ? Number.POSITIVE_INFINITY : (dateRange(end)?.hi ?? Number.NaN),
  }
}

export function meetsDate(value: TypedValue, text: string): boolean {
  const stored = storedRange(value)
  const [prefix, rest] = split(text)
  const asked = dateRange(rest)
  if (!stored || !asked) return false
  switch (prefix) {
    case 'eq':
      return asked.lo <= stored.lo && stored.hi <= asked.hi
    case 'ne':
      return !(asked.lo <= stored.lo && stored.hi <= asked.hi)
    case 'gt':
      return stored.hi > asked.hi
    case 'ge':
      return stored.hi >= asked.lo
    case 'lt':
      return stored.lo < asked.lo
    case 'le':
      return stored.lo <= asked.hi
    case 'sa':
      return stored.lo > asked.hi
    case 'eb':
      return stored.hi < asked.lo
    case 'ap':
      return stored.lo <= asked.hi && stored.hi >= asked.lo
  }
}

/** `digits` × 10^-`places`. */
interface Decimal {
  readonly digits: bigint
  readonly places: number
}

const numberForm = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** As written: 100.0 has one place more than 100, which has two more than 1e2. */
function decimal(text: string): Decimal | null {
  const found = numberForm.exec(text)
  if (!found) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = found
  const digits = BigInt(whole + fraction)
  return { digits: sign === '-' ? -digits : digits, places: fraction.length - Number(exponent) }
}

/** Both as multiples of the same small unit, one tenth of the finer one, so that halves stay whole. */
function scaled(a: Decimal, b: Decimal): readonly [bigint, bigint, unit: bigint] {
  const places = Math.max(a.places, b.places) + 1
  const to = ({ digits, places: own }: Decimal): bigint => digits * 10n ** BigInt(places - own)
  return [to(a), to(b), 10n ** BigInt(places - b.places)]
}

/** @param stored a number as parsed from JSON: its shortest text is what was written */
export function meetsNumber(stored: unknown, text: string): boolean {
  const [prefix, rest] = split(text)
  const has = typeof stored === 'number' ? decimal(String(stored)) : null
  const asks = decimal(rest)
  if (!has || !asks) return false
  const [x, wanted, unit] = scaled(has, asks)
  const isEqual = wanted - unit / 2n <= x && x < wanted + unit / 2n
  const size = wanted < 0n ? -wanted : wanted
  switch (prefix) {
    case 'eq':
      return isEqual
    case 'ne':
      return !isEqual
    case 'gt':
    case 'sa':
      return x > wanted
    case 'lt':
    case 'eb':
      return x < wanted
    case 'ge':
      return x >= wanted
    case 'le':
      return x <= wanted
    case 'ap':
      return 10n * (x - wanted) <= size && 10n * (wanted - x) <= size
  }
}

interface Quantity {
  readonly value?: number
  readonly unit?: string
  readonly system?: string
  readonly code?: string
}

/** @param parts number, system, code; a code without a system may also be the unit people read */
export function meetsQuantity(
  { value }: TypedValue,
  [number = '', system, code]: readonly string[],
): boolean {
  const quantity = value as Quantity
  if (!meetsNumber(quantity.value, number)) return false
  if (code === undefined) return true
  if (system === '') return quantity.code === code || quantity.unit === code
  return quantity.system === system && quantity.code === code
}
