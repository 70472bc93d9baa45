/**
 * The row filter: the policy as a predicate on `document` rows, so that a page is cut and counted over what its reader
 * may see. A caller without access runs the same statement and gets no rows.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Presented } from './caller.ts'
import { callerArgs, issuerIsCurrent, selectMatrix, systemFacility, tokenIsRevoked } from './caller-sql.ts'
import { openDomains, ownFacilityTypes } from './policy.ts'

const list = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(', ')

/** Each row of the matrix opens its own domain and those open to every provider. */
const openedDomains = selectMatrix(
  'opened.value',
  `cross join json_each(json_array(m.domain, ${list(openDomains)})) as opened`,
)

/**
 * Predicate on a row of `document` in *records*. The subqueries do not depend on the row: SQLite evaluates each once per
 * statement, by index, whatever the number of rows filtered.
 */
export const visible = (alias: string): string => `(
  ${issuerIsCurrent} and not ${tokenIsRevoked}
  and (${alias}.domain in (${openedDomains})
      and (${alias}.type not in (${list(ownFacilityTypes)})
        or ${alias}.facility = (select id from facility where uri = :caller_facility_uri and valid_to is null))
    or ${alias}.facility = (${systemFacility}))
)`

/** Values of the named arguments of `visible`, to be bound beside those of the page. */
export const visibleArgs = (presented: Presented): Readonly<Record<string, SqlValue>> => callerArgs(presented)

/**
 * Predicate on a row of `document` in the local database, which holds no registry: the facility only. What a role, a
 * domain or a patient's wishes forbid is left to `decideRow`, with the facts of the records batch.
 */
export const visibleLocal = (alias: string): string => `${alias}.facility = :caller_facility`

/** Values of the named arguments of `visibleLocal`; null, for a caller without a facility, matches nothing. */
export const visibleLocalArgs = (facility: string | null): Readonly<Record<string, SqlValue>> => ({
  caller_facility: facility,
})
