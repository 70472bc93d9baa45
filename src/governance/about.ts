/** What the operations of this folder share: reading a body, finding out about a person, writing one batch. */
import type { z } from 'zod'
import type { Caller } from '../access/caller.ts'
import { forbidden, type PolicyRefusal } from '../access/refusal.ts'
import type { Disclosure, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { parseJson } from '../fhir/json.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Row, Rows, Statement, Writer } from '../store/ports.ts'

export const jsonBody = ['application/json'] as const

/** An id that nobody can guess. */
export const newId = (): string => crypto.randomUUID().replaceAll('-', '')

/** The body as JSON of this shape: an issue for each member that is missing, wrong or unknown. */
export async function readFields<T>(
  { body }: Pick<OperationContext<unknown, unknown>, 'body'>,
  shape: z.ZodType<T>,
): Promise<Result<T, Refusal>> {
  const text = await body()
  if (!text.ok) return text
  const parsed = parseJson(text.value)
  if (!parsed.ok) return err({ reason: 'invalid', issues: [parsed.error] })
  const fields = shape.safeParse(parsed.value)
  if (fields.success) return ok(fields.data)
  return err({ reason: 'invalid', issues: fields.error.issues.slice(0, limits.maxIssues).map(fieldIssue) })
}

function fieldIssue({ path, code, message, ...rest }: z.core.$ZodIssue): Issue {
  const at = path.map(String).join('.')
  if (code === 'unrecognized_keys' && 'keys' in rest) {
    const names = rest.keys.join(', ')
    return {
      code: 'not-supported',
      expression: [at, rest.keys[0]].filter((part) => part).join('.'),
      text: { fr: `Membre inconnu : ${names}.`, en: `Unknown member: ${names}.` },
    }
  }
  return {
    code: 'value',
    ...(at === '' ? {} : { expression: at }),
    text: {
      fr: `Absent ou invalide : ${at || 'le corps'}.`,
      en: `Missing or invalid: ${at || 'the body'} (${message}).`,
    },
  }
}

export const invalid = (expression: string, fr: string, en: string): Result<never, Refusal> =>
  err({ reason: 'invalid', issues: [{ code: 'value', expression, text: { fr, en } }] })

/** Id of a body's `Patient/[id]`. */
export const patientId = (reference: string): string => reference.slice('Patient/'.length)

/** A person who keeps a register or looks into it, as the register names them. */
export type Keeper = Extract<Caller, { kind: 'patient' | 'guardian' | 'privacy-officer' | 'operator' }>

/**
 * Whether the record of `person` is this caller's business. Nobody learns whether an id exists: unknown (null) and
 * another's are one refusal.
 *
 * @param organisations those at whose facilities the person has a source record
 */
export function decideKeeper(
  caller: Keeper,
  person: string | null,
  organisations: readonly string[],
): Result<string, PolicyRefusal> {
  switch (caller.kind) {
    case 'patient':
    case 'guardian':
      return person !== null && person === caller.person ? ok(person) : forbidden('person-unknown')
    case 'privacy-officer':
      if (caller.organisation !== null && (person === null || !organisations.includes(caller.organisation)))
        return forbidden('not-own-organisation')
      return person === null ? forbidden('person-unknown') : ok(person)
    case 'operator':
      return person === null ? forbidden('person-unknown') : ok(person)
  }
}

/** Organisations at whose facilities the person of this source record is known: rows of `organisation`. */
export const organisationsOf = (sourceRecord: string): Statement => ({
  sql: `
    select distinct f.organisation from source_record as mine
    cross join source_record as s on s.person = mine.person
    cross join facility as f on f.id = s.facility and f.valid_to is null
    where mine.id = :source`,
  args: { source: sourceRecord },
})

/** Source records of the person of `:source`: for `in (…)`. */
export const sourcesOfPerson =
  'select id from source_record where person = (select person from source_record where id = :source)'

export const texts = (rows: Rows | undefined, column: string): readonly string[] =>
  (rows ?? []).map((row) => String(row[column]))

export interface Written {
  /** `<epoch>.<n>`: of this write. */
  readonly clock: string
  /** One per outcome statement. */
  readonly rows: readonly Rows[]
}

/**
 * One batch under the request's key, and what it came to. The persons of `sources` are noted with the key: an outcome
 * that has to be settled later names them. `outcome` may read `:key`. Rejects with `StoreError`.
 */
export async function writeBatch(
  writer: Writer,
  key: string,
  sources: readonly string[],
  statements: readonly Statement[],
  outcome: readonly Statement[],
): Promise<Written> {
  const told: readonly Statement[] = [{ sql: 'select epoch, n from clock' }, ...outcome]
  const { replayed, rows } = await writer.write(key, [
    ...statements,
    {
      sql: `
        update write_key set persons = (
          select json_group_array(distinct s.person) from json_each(:sources) as i
          join source_record as s on s.id = i.value)
        where key = :key`,
      args: { key, sources: JSON.stringify(sources) },
    },
    ...told,
  ])
  // Of a batch that had committed before, the rows are read again.
  const [clock = [], ...outcomes] = replayed ? await writer.read(told) : rows.slice(-told.length)
  return { clock: `${clock[0]?.epoch}.${clock[0]?.n}`, rows: outcomes }
}

export const firstRow = (rows: Rows | undefined): Row | null => rows?.[0] ?? null

/** An answer of `/access`. @param persons whom it is about */
export const answer = (
  status: number,
  body: unknown,
  persons: readonly string[],
  reason: string,
  clock: string | null = null,
): Disclosure => ({
  status,
  contentType: 'application/json; charset=utf-8',
  headers: clock === null ? {} : { 'Dossier-Clock': clock },
  body: JSON.stringify(body),
  disclosed: [...new Set(persons)].map((patient) => ({ patient, resources: [] })),
  reason,
})
