/**
 * The grammar of `GET /fhir/AuditEvent` (IHE RESTful ATNA, ITI-81): a period is mandatory, anything unknown is an issue, never
 * an unfiltered answer. Pure.
 */
import { auditEventParameters } from '../fhir/audit-event-parameters.ts'
import { parseDateSearch } from '../fhir/date.ts'
import { formParameters } from '../fhir/interactions.ts'
import { unknownParameter } from '../fhir/nearest.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'

/** `system` null: any; the empty string: none. `code` null: any of the system. */
export interface TrailToken {
  readonly system: string | null
  readonly code: string | null
}

/** Alternatives of one parameter; several terms must all hold. */
export interface TrailTerm {
  readonly name: string
  readonly tokens: readonly TrailToken[]
}

export interface TrailSearch {
  /** ISO 8601, UTC, milliseconds, both inclusive. */
  readonly from: string
  readonly until: string
  /** Server id of a `Patient`, or a person id as the log names it. */
  readonly patient: string | null
  readonly patientIdentifier: TrailToken | null
  /** What is left to compare with each event. */
  readonly terms: readonly TrailTerm[]
  /** AuditEvents on a page; the events of one entry are never parted. */
  readonly count: number
  readonly cursor: string | null
}

type Parameter = (typeof auditEventParameters)[number]

const byName: ReadonlyMap<string, Parameter> = new Map(
  auditEventParameters.map((parameter) => [parameter.name, parameter]),
)

/** @param isOfficer else for patients and guardians, who may use less */
export function parseTrailSearch(
  raw: URLSearchParams,
  isOfficer: boolean,
): Result<TrailSearch, readonly Issue[]> {
  const issues: Issue[] = []
  const terms: TrailTerm[] = []
  const offered = auditEventParameters
    .filter(({ forPatients }) => isOfficer || forPatients)
    .map(({ name }) => name)
  const once = (name: string): string | null => {
    const values = raw.getAll(name)
    if (values.length > 1) issues.push(wrong(name, 'ne peut figurer qu’une fois', 'may appear only once'))
    return values[0] ?? null
  }
  const names = [...new Set(raw.keys())]
  if (names.length > limits.maxSearchParameters)
    issues.push(wrong('', 'trop de paramètres', 'too many parameters'))
  for (const name of names) {
    const values = raw.getAll(name)
    const parameter = byName.get(name)
    if (values.length > limits.maxSearchParameters)
      issues.push(wrong(name, 'répété trop souvent', 'repeated too often'))
    else if (answerNames.has(name) || name === 'patient' || name === 'date') continue
    else if (parameter && (isOfficer || parameter.forPatients))
      terms.push(...values.map((value) => termOf(name, parameter, value, issues)))
    else issues.push(unknownParameter('AuditEvent', name, offered))
  }
  const period = periodOf(raw.getAll('date'), issues)
  const patient = isOfficer ? patientOf(once('patient'), issues) : null
  if (!isOfficer && raw.has('patient')) issues.push(unknownParameter('AuditEvent', 'patient', offered))
  const [patientIdentifier = null] = terms.find(({ name }) => name === 'patient.identifier')?.tokens ?? []
  const count = countOf(once('_count'), issues)
  const cursor = once('_cursor')
  if (issues.length > 0 || period === null) return err(issues)
  return ok({
    ...period,
    patient,
    patientIdentifier,
    terms: terms.filter(({ name }) => name !== 'patient.identifier'),
    count,
    cursor,
  })
}

/** The form of an answer is the gate's. */
const answerNames: ReadonlySet<string> = new Set(['_count', '_cursor', ...formParameters])

function patientOf(text: string | null, issues: Issue[]): string | null {
  if (text === null) return null
  const id = /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(text)?.[1] ?? null
  if (id === null)
    issues.push(wrong('patient', 'attend un seul `Patient/[id]`', 'expects one `Patient/[id]`'))
  return id
}

function countOf(text: string | null, issues: Issue[]): number {
  if (text === null) return limits.defaultPageRows
  if (!/^[1-9]\d{0,5}$/.test(text))
    issues.push(wrong('_count', 'attend un entier positif', 'expects a positive integer'))
  return Math.min(Number(text), limits.maxPageRows)
}

/** The intersection of all; null, with an issue, where one of the two bounds is missing. */
function periodOf(
  texts: readonly string[],
  issues: Issue[],
): { readonly from: string; readonly until: string } | null {
  let from = ''
  let until = ''
  const after = (time: string) => {
    if (from === '' || time > from) from = time
  }
  const before = (time: string) => {
    if (until === '' || time < until) until = time
  }
  for (const text of texts) {
    const date = parseDateSearch(text)
    if (date === null) {
      issues.push(wrong('date', `« ${cut(text)} » n’est pas une date`, `"${cut(text)}" is not a date`))
      return null
    }
    switch (date.prefix) {
      case 'eq':
        after(date.lo)
        before(date.hi)
        break
      case 'ge':
        after(date.lo)
        break
      case 'gt':
      case 'sa':
        after(shifted(date.hi, 1))
        break
      case 'le':
        before(date.hi)
        break
      case 'lt':
      case 'eb':
        before(shifted(date.lo, -1))
        break
      case 'ne':
      case 'ap':
        issues.push(wrong('date', `« ${date.prefix} » n’est pas offert`, `"${date.prefix}" is not supported`))
        return null
    }
  }
  if (from !== '' && until !== '') return { from, until }
  issues.push({
    code: 'required',
    expression: 'date',
    text: {
      fr: 'Une période est requise : `date=ge…` et `date=le…`, ou une date partielle comme `date=2026-11`.',
      en: 'A period is required: `date=ge…` and `date=le…`, or a partial date such as `date=2026-11`.',
    },
  })
  return null
}

const shifted = (time: string, ms: number): string => new Date(Date.parse(time) + ms).toISOString()

const closed: Readonly<Record<string, RegExp>> = { action: /^[CRUDE]$/, outcome: /^(0|4|8|12)$/ }

function termOf(name: string, { type }: Parameter, value: string, issues: Issue[]): TrailTerm {
  const alternatives = splitAt(value, ',')
  if (alternatives.length > limits.maxSearchAlternatives || alternatives.includes(''))
    issues.push(wrong(name, 'valeur absente, ou trop de valeurs', 'no value, or too many'))
  if (name === 'patient.identifier' && alternatives.length !== 1)
    issues.push(wrong(name, 'attend une seule valeur', 'expects one value'))
  const tokens = alternatives.map((text) => (type === 'token' ? tokenOf(text) : plain(text)))
  // Without its system an identifier is no key that persons are found by.
  if (name === 'patient.identifier' && tokens.some(({ system, code }) => !system || !code))
    issues.push(wrong(name, 'attend `système|valeur`', 'expects `system|value`'))
  const allowed = closed[name]
  if (allowed && tokens.some(({ code }) => code === null || !allowed.test(code)))
    issues.push(wrong(name, 'valeur inconnue', 'unknown value'))
  return { name, tokens }
}

const plain = (text: string): TrailToken => ({ system: null, code: unescaped(text) })

/** `code`, `system|code`, `|code` or `system|` (FHIR R4, Search, token). */
function tokenOf(text: string): TrailToken {
  const [first = '', ...rest] = splitAt(text, '|')
  if (rest.length === 0) return plain(first)
  const code = unescaped(rest.join('|'))
  return { system: unescaped(first), code: code === '' ? null : code }
}

/** At each `mark` that no backslash escapes. */
const splitAt = (text: string, mark: ',' | '|'): string[] =>
  (text.match(
    mark === ',' ? /(?:\\.|[^,\\]|\\$)+|(?<=^|,)(?=,|$)/g : /(?:\\.|[^|\\]|\\$)+|(?<=^|\|)(?=\||$)/g,
  ) ?? ['']) as string[]

const unescaped = (text: string): string => text.replace(/\\([$,|\\])/g, '$1')

const wrong = (name: string, fr: string, en: string): Issue => ({
  code: 'value',
  ...(name === '' ? {} : { expression: name }),
  text: { fr: `${name} : ${fr}.`, en: `${name}: ${en}.` },
})

const cut = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text)
