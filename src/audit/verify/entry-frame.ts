/** What a verifier needs of an entry, and whether the entry is of the form of `docs/audit-log.md` §1. */
import canonicalize from 'canonicalize'
import { err, ok, type Result } from '../../result.ts'
import { isAt, scanObject } from './canonical-scan.ts'
import { isDecimal, isDecimalLess } from './decimal.ts'

export interface ChainPlace {
  /** Decimal, from 1. */
  readonly count: string
  readonly previous: string | null
}

export interface EntryFrame {
  readonly log: string
  readonly index: string
  readonly time: string
  readonly organisation: ChainPlace | null
  readonly patient: ChainPlace | null
  /** Whether `access.action` is `redaction`. */
  readonly isRedaction: boolean
}

const decimal = '(?:0|[1-9][0-9]{0,19})'
const place = `(?:null|\\{"count":"(${decimal})","previous":(?:null|"(${decimal})")\\})`
const time =
  '\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z'
const log = '[a-z0-9][a-z0-9-]{0,62}'
const tail = new RegExp(
  `^,"chains":\\{"organisation":${place},"patient":${place}\\},"index":"(${decimal})","log":"(${log})","time":"(${time})","v":1\\}$`,
)
const utf8 = new TextEncoder()
const head = utf8.encode('{"access":')
const names = {
  action: utf8.encode('action"'),
  organisation: utf8.encode('organisation"'),
  patient: utf8.encode('patient"'),
  who: utf8.encode('who"'),
}
const redaction = utf8.encode('"redaction"')
const startOfNull = 0x6e
const startOfText = 0x22

/**
 * The frame of an entry in canonical form and of the right one, without parsing it; null: not so, or not sure.
 * @param text the entry
 * @param bytes the same in UTF-8, with a zero after it
 */
export function scanEntryFrame(text: string, bytes: Uint8Array, length: number): EntryFrame | null {
  if (!isAt(bytes, 0, head)) return null
  let patient = 0
  let whoStart = -1
  let isRedaction = false
  const accessEnd = scanObject(bytes, head.length, 0, (nameStart, _, valueStart) => {
    if (isAt(bytes, nameStart, names.patient)) patient = bytes[valueStart] as number
    else if (isAt(bytes, nameStart, names.who)) whoStart = valueStart
    else if (isAt(bytes, nameStart, names.action)) isRedaction = isAt(bytes, valueStart, redaction)
  })
  if (accessEnd === -1 || whoStart === -1) return null
  let organisation = 0
  scanObject(bytes, whoStart, 0, (nameStart, _, valueStart) => {
    if (isAt(bytes, nameStart, names.organisation)) organisation = bytes[valueStart] as number
  })
  if (!isTextOrNullAt(patient) || !isTextOrNullAt(organisation)) return null
  // What follows the access is ASCII, as many characters as bytes; if it is not, it does not match.
  const match = tail.exec(text.slice(text.length - (length - accessEnd)))
  if (match === null) return null
  const frame = {
    log: match[6] as string,
    index: match[5] as string,
    time: match[7] as string,
    organisation: placeOf(match[1], match[2]),
    patient: placeOf(match[3], match[4]),
    isRedaction,
  }
  return faultOf(frame, patient === startOfText, organisation === startOfText) === null ? frame : null
}

const isTextOrNullAt = (first: number): boolean => first === startOfText || first === startOfNull

const placeOf = (count: string | undefined, previous: string | undefined): ChainPlace | null =>
  count === undefined ? null : { count, previous: previous ?? null }

/** What only the members together can have wrong; null: nothing. */
function faultOf(frame: EntryFrame, hasPatient: boolean, hasOrganisation: boolean): string | null {
  if (!isDecimal(frame.index)) return 'its index is no number below 2^64'
  return (
    placeFault('patient', frame.patient, hasPatient, frame.index) ??
    placeFault('organisation', frame.organisation, hasOrganisation, frame.index)
  )
}

function placeFault(kind: string, place: ChainPlace | null, hasKey: boolean, index: string): string | null {
  if ((place !== null) !== hasKey)
    return hasKey
      ? `it has a ${kind} and no place in the ${kind}'s chain`
      : `it has a place in a ${kind}'s chain and no ${kind}`
  if (place === null) return null
  const { count, previous } = place
  if (!isDecimal(count) || count === '0' || (previous !== null && !isDecimal(previous)))
    return `its place in the ${kind}'s chain is not a count from 1 and an index`
  if ((count === '1') !== (previous === null))
    return `its place in the ${kind}'s chain has count ${count} and ${previous === null ? 'no' : 'a'} predecessor`
  if (previous !== null && !isDecimalLess(previous, index))
    return `its predecessor in the ${kind}'s chain, ${previous}, is not before it`
  return null
}

/** The frame of an entry that was parsed; an error says what is wrong with its form. */
export function readEntryFrame(entry: object): Result<EntryFrame, string> {
  const { access, chains, v, ...rest } = entry as Readonly<Record<string, unknown>>
  const { index, log: logName, time: told, ...others } = rest
  const [other] = Object.keys(others)
  if (other !== undefined) return err(`it has a member ${JSON.stringify(other.slice(0, 60))}`)
  if (v !== 1) return err('its version is not 1')
  if (!isDecimal(index)) return err('its index is not a decimal number')
  if (typeof logName !== 'string' || !isLogName(logName)) return err('its log is not the name of a log')
  if (typeof told !== 'string' || !isTime(told))
    return err('its time is not an instant in UTC with milliseconds')
  const keys = readChainKeys(access)
  if (keys === null) return err('its access does not say whom it is about and who asked')
  const places = readPlaces(chains)
  if (places === null) return err('its chains are not two places')
  const isRedaction = isObject(access) && access.action === 'redaction'
  const frame = { log: logName, index, time: told, ...places, isRedaction }
  const fault = faultOf(frame, keys.patient !== null, keys.organisation !== null)
  return fault === null ? ok(frame) : err(fault)
}

const logPattern = new RegExp(`^${log}$`)
const timePattern = new RegExp(`^${time}$`)

export const isLogName = (text: string): boolean => logPattern.test(text)
export const isTime = (text: string): boolean => timePattern.test(text)

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Keys of the chains that an access belongs to; null: it does not say. */
export function readChainKeys(
  access: unknown,
): { readonly organisation: string | null; readonly patient: string | null } | null {
  if (!isObject(access) || !isObject(access.who)) return null
  const { patient = null } = access
  const { organisation = null } = access.who
  return isTextOrNull(patient) && isTextOrNull(organisation) ? { organisation, patient } : null
}

const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string'

function readPlaces(chains: unknown): Pick<EntryFrame, 'organisation' | 'patient'> | null {
  if (!isObject(chains) || Object.keys(chains).length !== 2) return null
  const organisation = readPlace(chains.organisation)
  const patient = readPlace(chains.patient)
  return organisation === undefined || patient === undefined ? null : { organisation, patient }
}

/** Undefined: not a place. */
function readPlace(value: unknown): ChainPlace | null | undefined {
  if (value === null) return null
  if (!isObject(value) || Object.keys(value).length !== 2) return undefined
  const { count, previous } = value
  if (!isDecimal(count) || !(previous === null || isDecimal(previous))) return undefined
  return { count, previous }
}

/** RFC 8785; null when the value cannot be written so (half a surrogate pair). */
export function canonicalText(value: unknown): string | null {
  try {
    return canonicalize(value) ?? null
  } catch {
    return null
  }
}
