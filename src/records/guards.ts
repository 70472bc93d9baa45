/** What must still hold when a plan is written: checked inside the batch that writes, which fails as a whole otherwise. */
import type { Statement } from '../store/ports.ts'
import { conditionsMet } from './conditions-met.ts'
import { chunked, documentKey } from './documents-rows.ts'
import type { Plan } from './plan.ts'
import type { StoredDocument } from './plan-entry.ts'

/** One of the two databases a document may be in. */
export type Place = 'records' | 'local'

const isIn = (place: Place, { isShared }: StoredDocument): boolean => isShared === (place === 'records')

/**
 * At the beginning of a batch: versions and conditions as they were found in this database.
 *
 * @param isLocal whether the local database has the document as current
 */
export function guards(
  { documents, removals, conditions }: Plan,
  place: Place,
  facility: string,
  isLocal: (key: string) => boolean,
): readonly Statement[] {
  const versions = [
    ...documents
      .filter(
        (document) => document.expected !== null && isLocal(documentKey(document)) === (place === 'local'),
      )
      .map(({ type, id, expected }) => [type, id, expected]),
    ...removals
      .filter((document) => isIn(place, document))
      .map(({ type, id, version }) => [type, id, version]),
  ]
  const held = conditions.map(({ type, identifier, id, found }) => [
    type,
    identifier,
    id,
    found && isIn(place, found) ? found.id : '',
  ])
  return [
    ...chunked(versions).map((rows) => heldVersions(rows, facility)),
    ...chunked(held).map((rows) => heldConditions(rows, facility)),
  ]
}

/** @param rows JSON array of `[type, id, version]` */
const heldVersions = (rows: string, facility: string): Statement => ({
  sql: `
    insert into refused (reason)
    select 'conflict' where exists (
      select 1 from json_each(:rows) as h
      left join document as d on d.type = h.value ->> 0 and d.id = h.value ->> 1 and d.facility = :facility
      where d.version is not h.value ->> 2)`,
  args: { rows, facility },
})

/** @param conditions JSON array of `[type, identifier, id, id of what was found]`; empty: nothing was */
const heldConditions = (conditions: string, facility: string): Statement => ({
  sql: `
    insert into refused (reason)
    select 'conflict' where exists (
      with ${conditionsMet}
      select 1 from met where id <> mark
      union all
      select 1 from asked where mark <> '' and place not in (select place from met))`,
  args: { conditions, facility },
})

/**
 * What a write waiting in the local database keeps others from touching: `Type/id`, and `Type?system|value` for documents
 * with an identifier. Empty: nothing, as for all that is published without a condition.
 */
export const guardKeys = ({ documents, removals, conditions }: Plan): readonly string[] => [
  ...documents.filter(({ expected }) => expected !== null).map(documentKey),
  ...removals.map(documentKey),
  ...conditions.flatMap(({ type, identifier, id, found }) => [
    ...(identifier === null ? [] : [identifierKey(type, identifier)]),
    ...(id === null ? [] : [documentKey({ type, id })]),
    ...(found ? [documentKey(found)] : []),
  ]),
]

const identifierKey = (type: string, identifier: string): string => `${type}?${identifier}`

/** All that a write changes, in the same words. */
export const touchedKeys = ({ documents, removals }: Plan): readonly string[] => [
  ...documents.flatMap(({ type, id, lookups }) => [
    documentKey({ type, id }),
    ...lookups.flatMap(([param, value]) => (param === 'identifier' ? [identifierKey(type, value)] : [])),
  ]),
  ...removals.map(documentKey),
]
