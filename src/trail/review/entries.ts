/** The month's accesses by professionals, one professional after the other, out of the ledger. */
import { limits } from '../../limits.ts'
import type { Reader, Row, Statement } from '../../store/ports.ts'
import { firstAtStatement, logsStatement, prunedBefore, prunedBeforeStatement } from '../ledger-sql.ts'
import type { Month } from './month.ts'

/** The indices of one log that are of the month. */
export interface Part {
  readonly log: string
  readonly first: number
  /** Exclusive. */
  readonly end: number
  /** What is older may be gone by the retention policy, and is not looked at then; null: nothing is. */
  readonly prunedBefore: string | null
}

/** One permitted access to one patient's record. */
export interface AccessEntry {
  readonly log: string
  readonly idx: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly practitioner: string
  readonly name: string
  readonly role: string
  readonly facility: string
  readonly patient: string
  readonly action: string
  readonly isEmergency: boolean
  /** Why the professional could look at the person at all; the empty string: the entry does not say. */
  readonly basis: string
  /** Write clock of the facts it was decided by. */
  readonly clock: number
  /** A person looked up by identifier and birth date. */
  readonly isLookUp: boolean
}

export interface Professional {
  readonly id: string
  /** Of the month, whatever they were about. */
  readonly entries: number
}

export async function partsOf(ledger: Reader, { from, to }: Month): Promise<readonly Part[]> {
  const [logs = []] = await ledger.read([logsStatement], limits.exportPageDeadlineMs)
  const sizes = logs.map(({ log, size }) => ({ log: String(log), size: Number(size) }))
  if (sizes.length === 0) return []
  const at = (ms: number): readonly Statement[] =>
    sizes.map(({ log }) => firstAtStatement(log, new Date(ms).toISOString()))
  const pruned = sizes.map(({ log }) => prunedBeforeStatement(log))
  const found = await ledger.read([...at(from), ...at(to), ...pruned], limits.exportPageDeadlineMs)
  const indexAt = (i: number, size: number): number => Number(found[i]?.[0]?.idx ?? size)
  return sizes.map(({ log, size }, i) => ({
    log,
    first: indexAt(i, size),
    end: indexAt(sizes.length + i, size),
    prunedBefore: prunedBefore(found[2 * sizes.length + i]),
  }))
}

/** From one professional to the next by the index, and how many entries each has; after `after`, by id. */
export const professionalsStatement = (parts: readonly Part[], after: string): Statement => ({
  sql: `with recursive who (practitioner) as (
          select (select practitioner from ledger_body indexed by ledger_body_practitioner
                   where practitioner > :after order by practitioner limit 1)
          union all
          select (select practitioner from ledger_body indexed by ledger_body_practitioner
                   where practitioner > who.practitioner order by practitioner limit 1)
            from who where who.practitioner is not null
           limit :limit
        )
        select who.practitioner as practitioner, (
          select count(*) from json_each(:parts) as part
           cross join ledger_body indexed by ledger_body_practitioner
             on ledger_body.practitioner = who.practitioner and log = part.value ->> '$.log'
              and idx >= part.value ->> '$.first' and idx < part.value ->> '$.end') as entries
          from who where who.practitioner is not null`,
  args: { after, parts: JSON.stringify(parts), limit: limits.reviewProfessionalsPage },
})

/** At most `limits.reviewPageEntries` of these professionals, in the order of professional, log and index. */
export const accessesStatement = (
  professionals: readonly string[],
  parts: readonly Part[],
  organisation: string | null,
): Statement => ({
  sql: `select b.log, b.idx, b.time, b.practitioner, b.patient, b.facility, b.action, b.break_glass,
               b.entry ->> '$.access.who.name' as name, b.entry ->> '$.access.who.role' as role,
               b.entry ->> '$.access.note.basis' as basis, b.entry ->> '$.access.policyVersion' as policy_version,
               iif(b.entry ->> '$.access.query.path' = '/fhir/Patient', b.entry ->> '$.access.query.text', null)
                 as look_up
          from json_each(:professionals) as who cross join json_each(:parts) as part
          cross join ledger_body as b indexed by ledger_body_practitioner
            on b.practitioner = who.value and b.log = part.value ->> '$.log'
             and b.idx >= part.value ->> '$.first' and b.idx < part.value ->> '$.end'
         where b.outcome = 'permit' and b.patient is not null
           and b.action in ('read', 'vread', 'history', 'search', 'operation', 'break-glass')
           and b.entry ->> '$.access.phase' <> 'intent'
           and (:organisation is null or b.organisation = :organisation)
         limit :limit`,
  args: {
    professionals: JSON.stringify(professionals),
    parts: JSON.stringify(parts),
    organisation,
    limit: limits.reviewPageEntries,
  },
})

export const accessEntry = (row: Row): AccessEntry => ({
  log: String(row.log),
  idx: Number(row.idx),
  time: Date.parse(String(row.time)),
  practitioner: String(row.practitioner),
  name: String(row.name ?? ''),
  role: String(row.role ?? ''),
  facility: String(row.facility ?? ''),
  patient: String(row.patient),
  action: String(row.action),
  isEmergency: Number(row.break_glass) === 1,
  basis: String(row.basis ?? ''),
  clock: Number(String(row.policy_version ?? '').split('.')[1] ?? 0),
  isLookUp: typeof row.look_up === 'string' && isIdentity(row.look_up),
})

/** @param text path and query, as received */
function isIdentity(text: string): boolean {
  const query = new URLSearchParams(text.slice(text.indexOf('?') + 1))
  return query.has('identifier') && query.has('birthdate')
}
