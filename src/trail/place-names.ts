/** Names of facilities and organisations as the registry had them when an entry was made. */
import type { Access } from '../audit/port.ts'
import type { Rows, Statement } from '../store/ports.ts'
import type { PlaceNames } from './plain-words.ts'

/** Every name that these ever had, and the write clock as of now. */
export function placeNamesStatements(accesses: readonly Access[]): readonly Statement[] {
  const ids = (member: 'facility' | 'organisation') =>
    JSON.stringify([...new Set(accesses.map(({ who }) => who[member]).filter((id) => id !== null))])
  const named = (table: 'facility' | 'organisation'): Statement => ({
    sql: `select id, name, valid_from, valid_to from ${table} where id in (select value from json_each(?))
          order by valid_from`,
    args: [ids(table)],
  })
  return [named('facility'), named('organisation'), { sql: 'select epoch from clock', args: [] }]
}

/** @param rows of the statements above */
export function placeNamesOf({ who, policyVersion }: Access, rows: readonly Rows[]): PlaceNames {
  const [facilities = [], organisations = [], clock = []] = rows
  const [, epoch, n] = /^([0-9a-z]+)\.(\d+)$/.exec(policyVersion ?? '') ?? []
  // Clock values of another life of the database say nothing of when.
  const at = epoch !== undefined && epoch === clock[0]?.epoch ? Number(n) : Number.POSITIVE_INFINITY
  return {
    facility: nameAt(facilities, who.facility, at),
    organisation: nameAt(organisations, who.organisation, at),
  }
}

/** The last name it had by then; of what was registered only later, the first. */
function nameAt(rows: Rows, id: string | null, at: number): string | null {
  const own = id === null ? [] : rows.filter((row) => row.id === id)
  const row = own.findLast(({ valid_from: from }) => Number(from) <= at) ?? own[0]
  return row ? String(row.name) : null
}
