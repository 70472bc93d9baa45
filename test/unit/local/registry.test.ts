/** The registry seed on the real schema: what it writes, what a second start leaves alone, what a new issuer changes. */
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Provider, seedRegistry } from '../../../src/local/registry.ts'
import { holders, professionals } from '../../../src/local/sample/directory.ts'
import type { Statement, Writer } from '../../../src/store/ports.ts'
import { migrationsOf } from '../store/memory-database.ts'

const provider: Provider = {
  issuers: ['http://127.0.0.1:20001'],
  audience: 'https://dossier.example/fhir',
  keys: [{ kty: 'EC', kid: 'one' }],
}
const moved: Provider = { ...provider, issuers: [...provider.issuers, 'http://127.0.0.1:20002'] }

let database: DatabaseSync
let writer: Pick<Writer, 'write'>

const seed = (of: Provider) => seedRegistry(writer as Writer, of)
const rows = (sql: string) =>
  database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }))
const current = (table: string) => rows(`select count(*) n from ${table} where valid_to is null`)[0]?.n

beforeEach(() => {
  database = new DatabaseSync(':memory:')
  for (const statement of migrationsOf('records')) database.exec(statement)
  writer = {
    write: async (key: string, statements: readonly Statement[]) => {
      if (database.prepare('select 1 from write_key where key = ?').get(key))
        return { replayed: true, rows: [] }
      database.exec('begin')
      database.exec('update clock set n = n + 1')
      database.prepare('insert into write_key (key, clock, at) select ?, n, 0 from clock').run(key)
      for (const { sql, args } of statements) {
        database.prepare(sql).run(args as Record<string, string>)
      }
      database.exec('commit')
      return { replayed: false, rows: [] }
    },
  }
})

describe('the registry seed', () => {
  test('writes the directory, valid from the clock value of its own batch', async () => {
    database.exec('update clock set n = 6')
    expect(await seed(provider)).toEqual({ changed: true })
    expect(rows('select distinct valid_from from facility')).toEqual([{ valid_from: 7 }])
    expect(rows("select name, type, region, log from facility where id = 'hopital-cap-diamant'")).toEqual([
      { name: 'Hôpital du Cap-Diamant — Québec', type: 'hospital', region: 'quebec', log: 'quebec' },
    ])
    expect(current('professional')).toBe(professionals.length - 1)
    expect(rows("select valid_from, valid_to from professional where subject = 'levesque'")).toEqual([
      { valid_from: 6, valid_to: 7 },
    ])
    expect(rows("select facility from client where client_id = 'system-clinique-saint-roch'")).toEqual([
      { facility: 'clinique-saint-roch' },
    ])
    expect(rows("select facility from client where client_id = 'dossier-cli'")).toEqual([{ facility: null }])
    const held = (role: string) =>
      rows(`select professional, facility, organisation from professional_role where role = '${role}'`)
    expect(held('privacy-officer')).toEqual([
      { professional: 'melanie-bouchard', facility: '', organisation: '' },
      { professional: 'olivier-girard', facility: '', organisation: 'ciusss-mont-royal' },
    ])
    expect(held('operator')).toEqual([{ professional: 'karine-lapointe', facility: '', organisation: '' }])
    // Two where four eyes are shown.
    expect(held('access-manager').map(({ facility }) => facility)).toEqual([
      'hopital-mont-royal',
      'hopital-mont-royal',
      'hopital-cap-diamant',
      'clinique-saint-roch',
      'pharmacie-laurier',
    ])
  })

  test('registers no patient as a professional', async () => {
    await seed(provider)
    const logins = JSON.stringify(holders.map(({ login }) => login))
    const found = database.prepare(
      'select 1 from professional where subject in (select value from json_each(?))',
    )
    expect(found.all(logins)).toEqual([])
    expect(rows('select patient_system, patient_acr from issuer')).toEqual([
      {
        patient_system: 'https://fhir.infoway-inforoute.ca/NamingSystem/ca-qc-patient-healthcare-id',
        patient_acr: '["urn:dossier:loa:3"]',
      },
    ])
  })

  test('opens to broken glass what it opens to an emergency', async () => {
    await seed(provider)
    const cells = (purpose: string) =>
      rows(
        `select role, facility_type, domain from role_domain where purpose = '${purpose}' order by 1, 2, 3`,
      )
    expect(cells('BTG')).toEqual(cells('ETREAT'))
    expect(cells('BTG').length).toBeGreaterThan(0)
  })

  test('lets only who has a row read more than normal, and only for purposes of the role', async () => {
    await seed(provider)
    expect(
      rows('select distinct role, facility_type, own, elsewhere from role_clearance order by role'),
    ).toEqual([
      { role: 'nurse', facility_type: 'hospital', own: 'R', elsewhere: 'N' },
      { role: 'physician', facility_type: '*', own: 'V', elsewhere: 'R' },
      { role: 'resident', facility_type: 'hospital', own: 'R', elsewhere: 'R' },
    ])
    expect(
      rows(`select distinct role, facility_type, purpose from role_domain
        where role in ('nurse', 'physician', 'resident') and facility_type <> 'clinic' order by 1, 2, 3`),
    ).toEqual(rows('select role, facility_type, purpose from role_clearance order by 1, 2, 3'))
  })

  test('tries the rules on confidentiality first and keeps what nobody classified local', async () => {
    await seed(provider)
    const rules = rows('select domain, confidentiality, shared from sharing_rule order by position')
    expect(rules.slice(0, 2)).toEqual([
      { domain: '*', confidentiality: 'R', shared: 0 },
      { domain: '*', confidentiality: 'V', shared: 0 },
    ])
    expect(rules.at(-1)).toEqual({ domain: 'other', confidentiality: '*', shared: 0 })
    expect(rules.filter(({ shared }) => shared === 1)).toHaveLength(8)
  })

  test('changes nothing the second time, the clock included', async () => {
    await seed(provider)
    expect(await seed(provider)).toEqual({ changed: false })
    expect(rows('select n from clock')).toEqual([{ n: 1 }])
  })

  test('does not bring back what an operator ended', async () => {
    await seed(provider)
    database.exec("update professional_role set valid_to = 1 where professional = 'helene-cote'")
    database.exec("update professional set valid_to = 1 where subject = 'roy'")
    database.exec("update role_domain set valid_to = 1 where role = 'dietitian'")
    database.exec("update role_clearance set valid_to = 1 where role = 'nurse'")
    database.exec("update professional_role set valid_to = 1 where organisation = 'ciusss-mont-royal'")
    await seed(moved)
    expect(rows("select count(*) n from professional_role where professional = 'helene-cote'")).toEqual([
      { n: 1 },
    ])
    expect(rows("select count(*) n from professional where subject = 'roy'")).toEqual([{ n: 1 }])
    const left = (table: string, where: string) =>
      rows(`select count(*) n from ${table} where ${where} and valid_to is null`)[0]?.n
    expect(left('role_domain', "role = 'dietitian'")).toBe(0)
    expect(left('role_clearance', "role = 'nurse'")).toBe(0)
    expect(left('role_clearance', "role = 'physician'")).toBe(3)
    expect(left('professional_role', "organisation = 'ciusss-mont-royal'")).toBe(0)
  })

  test('ends the row of an issuer whose keys changed and adds one with the new keys', async () => {
    await seed(provider)
    await seed({ ...provider, keys: [{ kty: 'EC', kid: 'two' }] })
    expect(rows('select jwks, valid_from, valid_to from issuer order by row')).toEqual([
      { jwks: '{"keys":[{"kty":"EC","kid":"one"}]}', valid_from: 1, valid_to: 2 },
      { jwks: '{"keys":[{"kty":"EC","kid":"two"}]}', valid_from: 2, valid_to: null },
    ])
    expect(current('professional')).toBe(professionals.length - 1)
  })

  test('names the code system of roles, also for an issuer that was registered without', async () => {
    const system = 'https://dossier.example/CodeSystem/role'
    await seed(provider)
    expect(rows('select role_system from issuer')).toEqual([{ role_system: system }])
    database.exec('update issuer set role_system = null')
    database.exec('delete from write_key')
    await seed(provider)
    expect(rows('select role_system, valid_to from issuer order by row')).toEqual([
      { role_system: null, valid_to: 2 },
      { role_system: system, valid_to: null },
    ])
  })

  test('keeps what an operator decided about the issuer when its keys or its address change', async () => {
    await seed(provider)
    database.exec("update issuer set organisation = 'ciusss-mont-royal', requires_dpop = 1, one_time = 1")
    const decided = () =>
      rows('select organisation, requires_dpop, one_time from issuer where valid_to is null')
    const before = decided()
    await seed({ ...provider, keys: [{ kty: 'EC', kid: 'two' }] })
    expect(decided()).toEqual(before)
    await seed(moved)
    expect(decided()).toEqual(before)
    expect(before).toEqual([{ organisation: 'ciusss-mont-royal', requires_dpop: 1, one_time: 1 }])
  })

  test('lets people and clients follow the provider to another address', async () => {
    await seed(provider)
    const clients = current('client')
    await seed(moved)
    expect(rows('select issuer from issuer where valid_to is null')).toEqual([{ issuer: moved.issuers[1] }])
    expect(rows('select distinct issuer from professional where valid_to is null')).toEqual([
      { issuer: moved.issuers[1] },
    ])
    expect(current('professional')).toBe(professionals.length - 1)
    expect(rows('select distinct issuer from client where valid_to is null')).toEqual([
      { issuer: moved.issuers[1] },
    ])
    expect(current('client')).toBe(clients)
  })

  test('does not bring back an issuer that was revoked', async () => {
    await seed(provider)
    database.exec('update issuer set valid_to = 1')
    database.exec('delete from write_key')
    await seed(provider)
    expect(current('issuer')).toBe(0)
  })
})
