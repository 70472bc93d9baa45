/** Older databases brought up to date: what was entered in error is known as such, and deletions can follow what is there. */
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { statusCode } from '../../../src/fhir/status.ts'

const coded = (code: string) => ({ coding: [{ system: 's', code }] })
const documents = [
  {
    resourceType: 'AllergyIntolerance',
    clinicalStatus: coded('active'),
    verificationStatus: coded('entered-in-error'),
  },
  {
    resourceType: 'AllergyIntolerance',
    clinicalStatus: coded('active'),
    verificationStatus: coded('confirmed'),
  },
  {
    resourceType: 'Condition',
    verificationStatus: { coding: [{ code: 'x' }, { code: 'entered-in-error' }] },
  },
  {
    resourceType: 'Condition',
    clinicalStatus: coded('active'),
    verificationStatus: { text: 'entered-in-error' },
  },
  { resourceType: 'DocumentReference', status: 'current', docStatus: 'entered-in-error' },
  { resourceType: 'DeviceMetric', operationalStatus: 'entered-in-error' },
  { resourceType: 'Slot', status: 'entered-in-error' },
  { resourceType: 'Observation', status: 'entered-in-error' },
  { resourceType: 'Observation', status: 'final' },
  { resourceType: 'Patient', name: [{ text: 'entered-in-error' }] },
]
/** The column as it was filled before. */
const before = (type: string, document: Record<string, unknown>): string => {
  if (['AllergyIntolerance', 'Condition'].includes(type))
    return (document.clinicalStatus as ReturnType<typeof coded> | undefined)?.coding[0]?.code ?? ''
  return ['Slot', 'DeviceMetric'].includes(type) ? '' : ((document.status as string | undefined) ?? '')
}

test.each([
  ['records', '0007_corrections', ['0000_init']],
  ['local', '0001_corrections', ['0000_init']],
] as const)('%s', (name, tag, earlier) => {
  const db = new DatabaseSync(':memory:')
  const migrate = (file: string): void => {
    for (const statement of readFileSync(`drizzle/${name}/${file}.sql`, 'utf8').split(
      '--> statement-breakpoint',
    ))
      db.exec(statement)
  }
  for (const file of earlier) migrate(file)
  const insert = db.prepare(
    `insert into document (person, type, date_lo, id, source_record, facility, domain, category, code, date_hi, status,
       confidentiality, published, version, clock, hash, body)
     values ('p', ?, '', ?, 's', 'h', 'other', '', '', '', ?, '', '2026', 1, 1, 'h1', ?)`,
  )
  documents.forEach((document, i) => {
    insert.run(
      document.resourceType,
      `d${i}`,
      before(document.resourceType, document),
      JSON.stringify(document),
    )
  })
  db.exec(`update document set version = 2, hash = 'h2' where id = 'd0'`)
  if (name === 'local')
    db.prepare(
      'insert into pending (write_key, part, facility, published, at, documents) values (?, 0, ?, ?, 0, ?)',
    ).run('k', 'h', '2026', '[]')
  migrate(tag)
  const rows = db.prepare('select status from document order by cast(substr(id, 2) as integer)').all()
  expect(rows.map(({ status }) => status)).toEqual(
    documents.map((document) => statusCode(document.resourceType, document)),
  )
  expect(rows.filter(({ status }) => status === 'entered-in-error')).toHaveLength(6)
  // History is as it was, and goes on.
  db.exec(
    `update document set version = 3, hash = 'h3' where id = 'd0'; delete from document where id = 'd0'`,
  )
  expect(db.prepare('select version, deleted from document_version order by version').all()).toMatchObject([
    { version: 1, deleted: 0 },
    { version: 2, deleted: 0 },
    { version: 3, deleted: 0 },
  ])
  expect(() => db.exec('delete from document_version')).toThrow('append-only')
  if (name === 'local')
    expect(db.prepare('select guards from pending').all()).toMatchObject([{ guards: '[]' }])
})
