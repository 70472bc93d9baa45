/**
 * The SQL is an index on the policy: over random registries, callers and documents the row filter lets through exactly
 * the rows that `decideRow` permits, and the facts are those of a model that reads the registry row by row.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Placement, Presented } from '../../../src/access/caller.ts'
import { factStatements, readFacts } from '../../../src/access/facts.ts'
import { decideRow } from '../../../src/access/policy.ts'
import { visible, visibleArgs } from '../../../src/access/visible.ts'
import type { Row } from '../../../src/store/ports.ts'
import {
  addClient,
  addDocument,
  addFacility,
  addIssuer,
  addProfessional,
  endCurrent,
  open,
  openRegistry,
  presented,
  type Registry,
  uriOf,
} from './registry.ts'

const facilities = ['hospital', 'clinic'] as const
const roles = ['physician', 'nurse', 'privacy-officer'] as const
const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
/** Without repetition, and mostly with a member by which somebody is somebody. */
const listWith = <T>(usual: readonly T[], other: fc.Arbitrary<T>) =>
  fc
    .tuple(fc.constantFrom<T[]>(...usual.map((member) => [member]), []), fc.array(other, { maxLength: 4 }))
    .map(([head, tail]) => [
      ...new Map([...head, ...tail].map((member) => [String(member), member])).values(),
    ])

type Cell = readonly [role: string, facilityType: string, purpose: string, domain: string]

const world = fc.record({
  types: fc.record({ hospital: mostly('hospital', 'clinic'), clinic: fc.constant('clinic') }),
  facilities: mostly<readonly string[]>(facilities, ['hospital'], []),
  clientFacility: fc.constantFrom<string | null>(null, null, null, null, null, ...facilities, 'closed'),
  held: listWith<readonly [string, string]>(
    [
      ['physician', 'hospital'],
      ['physician', 'hospital'],
      ['physician', 'hospital'],
      ['privacy-officer', ''],
    ],
    fc.tuple(fc.constantFrom(...roles), fc.constantFrom(...facilities, '')),
  ),
  matrix: listWith<Cell>(
    [
      ['physician', 'hospital', 'TREAT', 'laboratory'],
      ['physician', '*', '*', 'imaging'],
    ],
    fc.tuple(
      fc.constantFrom('physician', 'nurse', '*'),
      fc.constantFrom('hospital', 'clinic', '*'),
      fc.constantFrom('TREAT', 'ETREAT', '*'),
      fc.constantFrom('laboratory', 'imaging', 'other'),
    ),
  ),
  ended: mostly<string | null>(null, 'issuer', 'client', 'professional', 'professional_role', 'role_domain'),
  revoked: mostly(false, true),
})

const caller = fc.record({
  subject: fc.constantFrom('tremblay', 'tremblay', 'tremblay', 'app', 'app', 'nobody'),
  clientId: mostly('app', 'other'),
  issuerRow: mostly(1, 2),
  role: fc.constantFrom<string | null>(
    'physician',
    'physician',
    'physician',
    'nurse',
    'privacy-officer',
    'privacy-officer',
    null,
  ),
  facilityUri: mostly<string | null>(uriOf('hospital'), uriOf('clinic'), uriOf('other'), null),
  purpose: mostly<string | null>('TREAT', 'ETREAT', 'HMARKT', null),
})

const documents = fc.array(
  fc.record({
    type: fc.constantFrom('Observation', 'Patient', 'AuditEvent', 'Consent'),
    facility: fc.constantFrom(...facilities, 'closed'),
    domain: fc.constantFrom('laboratory', 'imaging', 'other', 'identity', 'directory'),
  }),
  { minLength: 4, maxLength: 12 },
)

function build(w: typeof world extends fc.Arbitrary<infer W> ? W : never): Registry {
  const registry = openRegistry()
  addIssuer(registry, [])
  for (const facility of w.facilities)
    addFacility(registry, facility, w.types[facility as keyof typeof w.types])
  addClient(registry, 'app', w.clientFacility)
  addProfessional(registry, 'tremblay', w.held)
  // Registered under the name of a client: the client's own token must not speak for them.
  addProfessional(registry, 'app', w.held)
  for (const [role, type, purpose, domain] of w.matrix) open(registry, role, type, purpose, domain)
  if (w.revoked)
    registry.insert('revoked_token', { issuer: presented().issuer, jti: 'token-1', valid_from: 1 })
  if (w.ended) endCurrent(registry, w.ended)
  return registry
}

/** Where the registry places the caller now, by reading it row by row. */
function placementIn(registry: Registry, p: Presented): Placement | null {
  const current = (table: string): readonly Row[] =>
    registry.run({ sql: `select * from ${table} where valid_to is null` })
  const client = current('client').find(({ client_id }) => client_id === p.clientId)
  if (!client) return null
  const facility = current('facility').find(({ id, uri }) =>
    client.facility === null ? uri === p.facilityUri : id === client.facility,
  )
  return facility ? { row: Number(facility.row), facility: String(facility.id), region: '', log: '' } : null
}

it('the rows that the filter lets through are those that the policy permits', () => {
  const seen = { provider: 0, 'facility-system': 0, 'privacy-officer': 0, nobody: 0 }
  fc.assert(
    fc.property(world, caller, documents, (w, changes, rows) => {
      const registry = build(w)
      const p = presented(changes)
      for (const [index, row] of rows.entries()) addDocument(registry, { ...row, id: `d${index}` })
      const facts = readFacts(factStatements(p).map(registry.run), p, placementIn(registry, p), 0)
      const permitted = rows.flatMap((row, index) => {
        const decided = { ...row, shared: true, person: 'p', confidentiality: 'N' }
        return facts.ok && decideRow(facts.value.caller, decided).outcome === 'permit' ? [`d${index}`] : []
      })
      const sql = `select d.id from document as d where ${visible('d')}`
      const filtered = registry.run({ sql, args: visibleArgs(p) }).map((row) => String(row.id))
      registry.db.close()
      seen[facts.ok ? facts.value.caller.kind : 'nobody']++
      expect(filtered.sort()).toEqual(permitted.sort())
    }),
    { numRuns: 1_000 },
  )
  // A generator that only makes strangers would prove nothing.
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0)
})

it('a provider is who the registry says, read row by row', () => {
  fc.assert(
    fc.property(world, caller, (w, changes) => {
      const registry = build(w)
      const p = presented(changes)
      const placement = placementIn(registry, p)
      const facts = readFacts(factStatements(p).map(registry.run), p, placement, 0)
      registry.db.close()
      const isProvider =
        w.ended === null &&
        !w.revoked &&
        p.issuerRow === 1 &&
        p.clientId === 'app' &&
        w.clientFacility === null
      const held = w.held.filter(([role, at]) => at === placement?.facility && role !== 'privacy-officer')
      const [only] = held
      const role = p.role ?? (held.length === 1 && p.facilityUri !== null && only ? only[0] : null)
      const cells = w.matrix.filter(
        ([r, type, purpose]) =>
          placement !== null &&
          p.purpose !== null &&
          (r === '*' || r === role) &&
          (type === '*' || type === w.types[placement.facility as keyof typeof w.types]) &&
          (purpose === '*' || purpose === p.purpose),
      )
      const expected =
        isProvider && p.subject === 'tremblay' && held.some(([r]) => r === role) && cells.length > 0
          ? { role, facility: placement?.facility, domains: new Set(cells.map(([, , , domain]) => domain)) }
          : null
      const found = facts.ok && facts.value.caller.kind === 'provider' ? facts.value.caller : null
      expect(found && { role: found.role, facility: found.facility.id, domains: found.domains }).toEqual(
        expected,
      )
    }),
    { numRuns: 1_000 },
  )
})
