/** What a search asks of SQLite: one index range per branch; nothing that grows with the record is passed over. */
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type Viewer,
  visible,
  visibleArgs,
  visibleLocal,
  visibleLocalArgs,
} from '../../../src/access/visible.ts'
import { parseSearch } from '../../../src/fhir/search.ts'
import type { OwnFilter } from '../../../src/fhir/search-filters.ts'
import type { PageRow } from '../../../src/records/page.ts'
import { includeStatements, reverseStatements } from '../../../src/records/search-include.ts'
import { linkStatement } from '../../../src/records/search-links.ts'
import {
  candidateCount,
  eachRow,
  onePerson,
  type Partition,
  pageStatements,
} from '../../../src/records/search-sql.ts'
import type { Statement } from '../../../src/store/ports.ts'
import { standingIn } from '../access/asking.ts'
import {
  addClient,
  addFacility,
  addIssuer,
  addProfessional,
  moment,
  open,
  openRegistry,
  presented,
} from '../access/registry.ts'
import { openDatabase } from '../store/memory-database.ts'

const records = openDatabase('records').db
const local = openDatabase('local').db
let viewer: Viewer

beforeEach(() => {
  const registry = openRegistry()
  addIssuer(registry, [])
  addFacility(registry, 'hospital')
  addClient(registry, 'console')
  addProfessional(registry, 'tremblay', [['physician', 'hospital']])
  open(registry, 'physician', '*', 'TREAT', 'laboratory')
  viewer = { presented: presented(), sight: standingIn(registry, presented()).sight, now: moment }
})

function statementsOf(address: string, isLocal = false): readonly Statement[] {
  const [type = '', query = ''] = address.split('?')
  const parsed = parseSearch(type, new URLSearchParams(query), {
    baseUrl: 'https://record.example/fhir/',
    isLenient: false,
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const { named, filters } = parsed.value
  const isOne = named.by === 'person'
  const partition: Partition = isOne ? { by: 'person', person: onePerson } : named
  const { pages, total } = pageStatements({
    type,
    partition,
    filters: filters.filter((one): one is OwnFilter => one.kind === 'match' || one.kind === 'missing'),
    wanted: parsed.value,
    after: null,
    bound: eachRow,
    filter: isLocal ? visibleLocal('d') : visible('d', viewer, isOne ? onePerson : undefined),
    filterArgs: {
      patient: 's',
      ...(isLocal ? visibleLocalArgs('hospital') : visibleArgs(viewer)),
    },
  })
  return [...pages, ...(total ? [total] : [])]
}

const planOf = (database: typeof records, { sql, args }: Statement): readonly string[] => {
  const statement = database.prepare(`explain query plan ${sql}`)
  statement.setAllowUnknownNamedParameters(true)
  return (statement.all(args as Record<string, string>) as { detail: string }[]).map(({ detail }) => detail)
}

/** Everything that is a table of the record, gone through from end to end. */
const scans = (plan: readonly string[]): readonly string[] =>
  plan.filter(
    (step) =>
      /^SCAN (?!\(?subquery|CONSTANT ROW|json_each|[a-z]+\d* (EXISTS )?VIRTUAL|measured)/.test(step) ||
      /AUTOMATIC/.test(step),
  )
const sorts = (plan: readonly string[]): readonly string[] => plan.filter((step) => /TEMP B-TREE/.test(step))

const byKey = 'SEARCH d USING PRIMARY KEY (person=? AND type=?)'
const byDate = 'SEARCH d USING PRIMARY KEY (person=? AND type=? AND date_lo>?)'
const byCode = 'SEARCH d USING INDEX document_code (person=? AND type=? AND code=?)'

describe('of the usual searches, each branch is one range of an index, in the order of the page', () => {
  test.each<[string, readonly string[]]>([
    ['Observation?patient=s', [byKey]],
    ['Observation?patient=s&_sort=-date&_count=20', [byKey]],
    ['Observation?patient=s&_sort=date', [byKey]],
    ['Observation?patient=s&category=laboratory', [byKey]],
    ['Observation?patient=s&category=http://x|laboratory&status=final', [byKey]],
    ['Observation?patient=s&code=http://loinc.org|718-7', [byCode, byKey]],
    ['Observation?patient=s&code=http://loinc.org|718-7,http://loinc.org|4548-4', [byKey]],
    ['Observation?patient=s&category=laboratory&date=ge2024', [byKey]],
    ['Observation?patient=s&category=laboratory&date=sa2024', [byDate]],
    [
      'Observation?patient=s&code=http://loinc.org|718-7&date=sa2024',
      ['SEARCH d USING INDEX document_code (person=? AND type=? AND code=? AND date_lo>?)', byDate],
    ],
    ['DiagnosticReport?patient=s&category=LAB&date=ge2024&date=le2025', [byKey]],
    ['MedicationRequest?patient=s&status=active', [byKey]],
    ['AllergyIntolerance?patient=s&clinical-status=active', [byKey]],
    ['Condition?patient=s&clinical-status=active', [byKey]],
    ['Immunization?patient=s', [byKey]],
    ['DocumentReference?patient=s&status=current', [byKey]],
    ['Procedure?patient=s&encounter=Encounter/e', [byKey]],
  ])('%s', (address, expected) => {
    for (const [database, isLocal] of [
      [records, false],
      [local, true],
    ] as const) {
      const plans = statementsOf(address, isLocal).map((statement) => planOf(database, statement))
      const steps = plans.map((plan) => plan.find((step) => / d USING/.test(step)))
      expect(steps).toEqual(expected.map((step) => expect.stringMatching(prefixOf(step))))
      for (const plan of plans) expect([...scans(plan), ...sorts(plan)]).toEqual([])
    }
  })
})

/** `date<=` bounds the same range from the other end. */
const prefixOf = (step: string): RegExp => new RegExp(`^${step.slice(0, -1).replaceAll(/[().?]/g, '\\$&')}`)

describe('of any other search, nothing that grows is gone through from end to end', () => {
  test.each([
    'Observation?patient=s&code:not=x&value-quantity=gt5&_sort=code&_total=accurate',
    'Observation?patient=s&combo-code-value-quantity=x$gt5',
    'Observation?patient=s&value-string:contains=x',
    'Observation?patient=s&performer=Practitioner/p&_lastUpdated=gt2024&_tag=x&_profile=http://x',
    'Observation?_id=a,b',
    'Observation?identifier=s|v',
    'Condition?patient=s&onset-date=2024&_sort=-onset-date',
    'Patient?identifier=s|v&birthdate=1950-01-01',
    'Patient?family=tremblay&given=marie',
    'Patient?birthdate=1950-01-01&gender=female&_sort=family',
    'Organization?name=hotel&_sort=name',
    'Practitioner?family=roy',
    'PractitionerRole?practitioner=Practitioner/p',
  ])('%s', (address) => {
    for (const statement of statementsOf(address)) expect(scans(planOf(records, statement))).toEqual([])
    for (const statement of statementsOf(address, true)) expect(scans(planOf(local, statement))).toEqual([])
  })

  test('nor by chains, includes and the count of namesakes', () => {
    const parsed = parseSearch(
      'Encounter',
      new URLSearchParams('patient=s&participant:Practitioner.family=roy&_has:Observation:encounter:code=x'),
      { baseUrl: '', isLenient: false },
    )
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const args = { patient: 's', ...visibleArgs(viewer) }
    const links = parsed.value.filters.flatMap((link) =>
      link.kind === 'chain' || link.kind === 'has'
        ? link.types.map((type) =>
            linkStatement(link, type, onePerson, () => visible('d', viewer, onePerson), args, null),
          )
        : [],
    )
    const includes = parseSearch(
      'MedicationRequest',
      new URLSearchParams(
        'patient=s&_include=MedicationRequest:medication&_revinclude=Provenance:target&_revinclude=MedicationDispense:prescription',
      ),
      { baseUrl: '', isLenient: false },
    )
    if (!includes.ok) throw new Error(JSON.stringify(includes.error))
    const row = { type: 'MedicationRequest', id: 'm', person: 'p' } as PageRow
    const added = [
      ...includeStatements([{ type: 'Medication', id: 'x', person: 'p' }], () => visible('d', viewer), args),
      ...reverseStatements([row], includes.value.revincludes, () => visible('d', viewer), args),
    ]
    expect(links).toHaveLength(2)
    expect(added).toHaveLength(3)
    for (const statement of [...links, ...added, candidateCount('Patient', { param: 'family', text: 'roy' })])
      expect(scans(planOf(records, statement)), statement.sql).toEqual([])
  })
})
