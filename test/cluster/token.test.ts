/** Tokens of the local provider, by its real flows, and what the record makes of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { retireKeys, rotateKeys } from '../../src/local/identity/rotate-keys.ts'
import { hranaReader, hranaWriter } from '../../src/store/hrana.ts'
import {
  locations,
  marker,
  observation,
  patientResource,
  type SamplePatient,
  samplePatient,
  transaction,
  uuid,
} from './bundles.ts'
import { parseReceipt } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

let fixture: TestCluster
beforeAll(async () => {
  fixture = await startTestCluster()
})
afterAll(() => fixture.end())

/** Needs no care relationship: whoever may act as a provider is told that nobody is called so. */
const search = '/fhir/Patient?identifier=https%3A%2F%2Frecord.example%7Cnobody&birthdate=1950-01-01'

describe('a token of the local provider', () => {
  test('is an RFC 9068 JWT with the claims of IHE IUA', async () => {
    const { cluster } = fixture
    const { payload, protectedHeader } = await jwtVerify(
      await cluster.token('cote', { purpose: 'ETREAT' }),
      createRemoteJWKSet(new URL(`${cluster.issuer}/jwks`)),
      {
        issuer: cluster.issuer,
        audience: cluster.audience,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['iss', 'sub', 'client_id', 'aud', 'jti', 'exp', 'scope', 'iat'],
      },
    )
    expect(protectedHeader.kid).toBeDefined()
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(600)
    expect(payload).toMatchObject({
      sub: 'cote',
      client_id: 'dossier-cli',
      extensions: {
        ihe_iua: {
          subject_name: 'Hélène Côté',
          subject_organization_id: 'https://dossier.example/facility/hopital-mont-royal',
          subject_role: [{ code: 'nurse' }],
          purpose_of_use: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'ETREAT' }],
        },
      },
    })
  })

  test('of a facility system names the system as its subject', async () => {
    const claims = claimsIn(await fixture.cluster.token('system-pharmacie-laurier'))
    expect(claims.scope).toBe('system/*.cruds')
    expect(claims).toMatchObject({ sub: 'system-pharmacie-laurier', client_id: 'system-pharmacie-laurier' })
    expect(claims.exp - claims.iat).toBeLessThanOrEqual(300)
  })

  test('of a patient names the person by number, birth date and level of assurance, to ask for one’s own', async () => {
    const claims = claimsIn(await fixture.cluster.token('belisle'))
    expect(claims).toMatchObject({
      sub: 'belisle',
      birthdate: '1958-03-14',
      acr: 'urn:dossier:loa:3',
      extensions: {
        ihe_iua: {
          person_id: 'BELG58531499',
          subject_role: [{ code: 'patient' }],
          purpose_of_use: [{ code: 'PATRQT' }],
        },
      },
    })
    expect(claims.scope).toBe('patient/*.cruds purpose_of_use=PATRQT')
    expect(claims).not.toHaveProperty('patient')
    expect(claimsIn(await fixture.cluster.token('hebert', { scope: 'acr=urn:dossier:loa:1' })).acr).toBe(
      'urn:dossier:loa:1',
    )
  })

  test('of a guardian names the child in context', async () => {
    const child = 'abcdefghijklmnopqrstuvwxyz'
    expect(claimsIn(await fixture.cluster.token('arsenault', { scope: `patient=${child}` }))).toMatchObject({
      patient: child,
      birthdate: '1996-01-27',
      extensions: { ihe_iua: { person_id: 'ARSN96512799', subject_role: [{ code: 'guardian' }] } },
    })
  })

  test('of those who manage access, oversee or operate has their purpose', async () => {
    const said = async (name: string) => {
      const { extensions, scope } = claimsIn(await fixture.cluster.token(name))
      const { subject_role, purpose_of_use } = extensions.ihe_iua
      return [subject_role[0].code, purpose_of_use[0].code, scope.split(' ')[0]]
    }
    expect(await said('gendron')).toEqual(['access-manager', 'HSYSADMIN', 'user/*.cruds'])
    expect(await said('lapointe')).toEqual(['operator', 'HSYSADMIN', 'user/*.cruds'])
    expect(await said('girard')).toEqual(['privacy-officer', 'HCOMPL', 'user/*.cruds'])
  })

  test('carries the SMART scopes that were asked for, as they were asked for, instead of the usual one', async () => {
    const { cluster } = fixture
    const asked =
      'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory user/Patient.s'
    const scopeOf = async (name: string, purpose?: string) =>
      claimsIn(await cluster.token(name, { scope: asked, ...(purpose ? { purpose } : {}) })).scope
    expect(await scopeOf('tremblay', 'BTG')).toBe(`purpose_of_use=BTG ${asked}`)
    expect(await scopeOf('system-hopital-mont-royal')).toBe(asked)
    // Not what an earlier request of the same person or client was granted.
    expect(claimsIn(await cluster.token('tremblay')).scope).toBe('user/*.cruds purpose_of_use=TREAT')
  })

  test('is not issued for somebody unknown, a role not held, a purpose or a scope unknown', async () => {
    const { cluster } = fixture
    await expect(cluster.token('nobody')).rejects.toThrow('Nobody in the sample is called "nobody"')
    await expect(cluster.token('roy', { scope: 'facility=hopital-mont-royal' })).rejects.toThrow(
      'does not hold that role',
    )
    await expect(cluster.token('roy', { purpose: 'FUN' })).rejects.toThrow('purpose "FUN"')
    await expect(cluster.token('roy', { scope: 'admin/*.rs' })).rejects.toThrow('scope "admin/*.rs"')
    await expect(cluster.token('arsenault', { scope: 'patient=1' })).rejects.toThrow('scope "patient=1"')
    await expect(cluster.token('belisle', { scope: 'subject_role=physician' })).rejects.toThrow(
      'does not hold that role',
    )
  })

  test('cannot be had without the code verifier of the one who asked (RFC 7636)', async () => {
    const { issuer } = fixture.cluster
    const answer = await fetch(
      `${issuer}/auth?${new URLSearchParams({ client_id: 'dossier-cli', response_type: 'code', redirect_uri: 'http://127.0.0.1/callback', scope: 'user/*.rs' })}`,
      { redirect: 'manual' },
    )
    expect(answer.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1\/callback\?error=invalid_request/)
  })

  test('opens the record to a registered professional, not to one whose registration has ended', async () => {
    const { cluster, get } = fixture
    expect((await get(search, await cluster.token('tremblay'))).status).toBe(200)
    expect((await get(search, await cluster.token('levesque'))).status).toBe(403)
    expect((await get(search, null)).status).toBe(401)
  })

  test('of an old key holds until the key is retired; one of the new key is taken at once', async () => {
    const { cluster, get } = fixture
    const old = await cluster.token('tremblay')
    expect((await get(search, old)).status).toBe(200)
    await rotateKeys(cluster)
    const fresh = await cluster.token('tremblay')
    expect(decodeProtectedHeader(fresh).kid).not.toBe(decodeProtectedHeader(old).kid)
    await settled(async () => (await get(search, fresh)).status === 200)
    expect((await get(search, old)).status).toBe(200)
    await retireKeys(cluster)
    await settled(async () => (await get(search, old)).status === 401)
    expect((await get(search, fresh)).status).toBe(200)
  })
})

describe('what an isolate remembers of the registry', () => {
  const path = (patient: string) => `/fhir/Observation?patient=${patient}`
  let patient: string

  beforeAll(async () => {
    const { cluster, post } = fixture
    const person = samplePatient(1)
    const published = await post(
      '/fhir',
      await cluster.token('system-hopital-mont-royal'),
      transaction(
        patientResource(person),
        observation(person, { n: 1, date: '2024-05-05' }),
        openEncounter(person),
      ),
    )
    expect(published.status).toBe(200)
    patient = locations(await published.json())[0] as string
  })

  /** The first page after `change` has reached the replica holds what the page before it held. */
  const readsOnAcross = async (change: () => Promise<string>): Promise<void> => {
    const { cluster, get } = fixture
    const token = await cluster.token('tremblay')
    const before = await get(path(patient), token)
    expect(await before.text()).toContain(marker)
    const changedAt = await change()
    // The clock makes the replica, or the primary, answer with the change: what the isolate remembers is then older.
    const first = await get(path(patient), token, { 'dossier-clock': changedAt })
    expect(first.status).toBe(200)
    expect(await first.text()).toContain(marker)
    expect(parseReceipt(first.headers.get('dossier-receipt')).log).toBe('montreal')
  }

  const clockOf = async (): Promise<string> => {
    const { url, readToken } = fixture.cluster.databases.primary
    const [rows] = await hranaReader({ url, token: readToken }).read([{ sql: 'select epoch, n from clock' }])
    return `${rows?.[0]?.epoch}.${rows?.[0]?.n}`
  }

  test('may be older than a key rotation: the first read after it, with a token in use, holds the data', async () => {
    await readsOnAcross(async () => {
      await rotateKeys(fixture.cluster)
      return await clockOf()
    })
  })

  test('may be older than the row of the facility: so does the first read after that was replaced', async () => {
    await readsOnAcross(async () => {
      const { url, writeToken } = fixture.cluster.databases.primary
      const columns = 'id, uri, name, organisation, type, region, log, identity_systems'
      await hranaWriter({ url, token: writeToken }).write(crypto.randomUUID(), [
        {
          sql: `update facility set valid_to = (select n from clock) where id = 'hopital-mont-royal' and valid_to is null`,
        },
        {
          sql: `insert into facility (${columns}, valid_from) select ${columns}, valid_to from facility
            where id = 'hopital-mont-royal' and valid_to = (select n from clock)`,
        },
      ])
      return await clockOf()
    })
  })
})

describe('dossier token', () => {
  test('prints one, and lists everybody', async () => {
    const { out, code } = await dossier('token', '--as', 'gauthier', '--scope', 'facility=hopital-mont-royal')
    expect(code).toBe(0)
    expect((await fixture.get(search, out.trim())).status).toBe(200)
    const { out: list } = await dossier('token', '--list')
    expect(list).toMatch(/^bouchard +Me Mélanie Bouchard +privacy-officer +the whole record$/m)
    expect(list).toMatch(/^girard +Me Olivier Girard +privacy-officer +ciusss-mont-royal$/m)
    expect(list).toMatch(/^cloutier +Yves Cloutier +access-manager +clinique-saint-roch$/m)
    expect(list).toMatch(/^lapointe +Karine Lapointe +operator +the whole record$/m)
    expect(list).toMatch(/^belisle +Ginette Bélisle +patient +their own record$/m)
    expect(list).toMatch(/^arsenault +Noémie Arsenault +guardian +a child’s record$/m)
    expect(list).toMatch(/^system-clinique-saint-roch /m)
  })

  test('fails in one sentence', async () => {
    expect(await dossier('token', '--as', 'nobody')).toEqual({
      code: 1,
      out: '',
      err: 'Nobody in the sample is called "nobody"; "dossier token --list" names everybody.\n',
    })
  })
})

const claimsIn = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

/** Lets the facility's professionals look after the patient. */
const openEncounter = (person: SamplePatient) => ({
  resourceType: 'Encounter',
  id: uuid(Number(person.uuid.slice(-12)) + 9_000),
  status: 'in-progress',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  subject: { reference: `urn:uuid:${person.uuid}` },
  period: { start: '2024-05-05' },
})

/** Replication and the isolate's memory take a moment: the registry at the replica is what counts. */
async function settled(condition: () => Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 20_000, interval: 50 }).toBe(true)
}

async function dossier(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['src/cli/dossier.mjs', ...args], {
    env: { ...process.env, DOSSIER_HOME: fixture.cluster.home },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}
