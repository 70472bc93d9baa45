/** The facts of a request, as its batch would read them from a test registry. */
import type { Placement, Presented } from '../../../src/access/caller.ts'
import { factStatements, readFacts } from '../../../src/access/facts.ts'
import type { SubjectOf } from '../../../src/access/subject.ts'
import type { Row } from '../../../src/store/ports.ts'
import { moment, type Registry } from './registry.ts'

/** Where the registry places the caller now, by reading it row by row. */
export function placementIn(registry: Registry, p: Presented | null): Placement | null {
  const current = (table: string): readonly Row[] =>
    registry.run({ sql: `select * from ${table} where valid_to is null` })
  const client = current('client').find(({ client_id }) => client_id === p?.clientId)
  if (!client) return null
  const facility = current('facility').find(({ id, uri }) =>
    client.facility === null ? uri === p?.facilityUri : id === client.facility,
  )
  return facility ? { row: Number(facility.row), facility: String(facility.id), region: '', log: '' } : null
}

export interface Asking {
  readonly placement?: Placement | null
  readonly of?: SubjectOf
  /** Milliseconds since 1970. */
  readonly now?: number
}

export function factsOf(
  registry: Registry,
  presented: Presented | null,
  { placement = placementIn(registry, presented), of, now = moment }: Asking = {},
) {
  const about = of ? { of, facility: placement?.facility ?? null, now } : null
  const rows = factStatements(presented, about).map(registry.run)
  return readFacts(rows, { presented, placement, about }, now)
}

export const forbidden = (cause: string) => ({ ok: false, error: { reason: 'forbidden', cause } })
export const unauthenticated = (cause: string) => ({ ok: false, error: { reason: 'unauthenticated', cause } })
