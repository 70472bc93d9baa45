/**
 * What everybody may fetch of the logs says nothing about anybody; and what it proves, both verifiers find proved: the
 * whole way from a request at the record to a verdict offline.
 */
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { portableCrypto } from '../../src/audit/verify/portable-crypto.ts'
import { verify } from '../../src/audit/verify/verify.ts'
import {
  clients,
  facilities,
  holders,
  organisations,
  professionals,
} from '../../src/local/sample/directory.ts'
import { generateSample, sampleSeed } from '../../src/local/sample/generator.ts'
import { loadSampleData } from '../../src/local/sample/load.ts'
import { healthInsuranceNumber, patients } from '../../src/local/sample/people.ts'
import { hranaReader } from '../../src/store/hrana.ts'
import { formsOf, IdentifierSearch, isShort, shortestBytes } from './identifier-search.ts'
import { parseReceipt } from './ledger.ts'
import { fetchPublicFiles, type PublicFiles } from './public-files.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const root = join(import.meta.dirname, '../..')
const runs = (command: string, argument: string): boolean => spawnSync(command, [argument]).status === 0
const hasPython = runs('python3', '--version') && runs('openssl', 'version')

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Line {
  readonly entry: { readonly index: string; readonly log: string; readonly access: Access }
}

/** What an entry says about people. */
interface Access {
  readonly patient: string | null
  readonly requestId: string
  readonly clientRequestId: string | null
  readonly resources: readonly string[]
  readonly breakGlassReason: string | null
  readonly query: { readonly text: string; readonly sha256: string }
  readonly who: Readonly<Record<string, string | null>>
}

describe('what logs publish about the sample', () => {
  let t: TestCluster
  let published: PublicFiles
  let entries: readonly {
    readonly log: string
    readonly index: string
    readonly text: string
    readonly access: Access
  }[]
  let leaves: ReadonlyMap<string, string>
  const identifiers = new Map<string, string>()

  const run = (command: string, ...args: readonly string[]): Promise<Run> =>
    new Promise((done) => {
      const env = { ...process.env, DOSSIER_HOME: t.cluster.home }
      const child = execFile(command, args, { cwd: root, env, maxBuffer: 2 ** 26 }, (_, out, err) => {
        done({ code: child.exitCode ?? -1, out, err })
      })
    })
  const dossier = (...args: readonly string[]): Promise<Run> =>
    run(process.execPath, join(root, 'src/cli/main.ts'), 'audit', ...args)
  const python = (...args: readonly string[]): Promise<Run> =>
    run('python3', join(root, 'verifier/dossier_verify.py'), ...args)
  const at = (name: string): string => join(t.cluster.home, name)

  const download = async (command: 'export' | 'proof', name: string, ...args: string[]): Promise<string> => {
    const { code, err } = await dossier(command, '--out', at(name), ...args)
    expect({ name, code, err }).toEqual({ name, code: 0, err: '' })
    return at(name)
  }
  const downloads = new Map<string, Promise<string>>()
  /** Both verifiers read the same file. */
  const downloaded = (...asked: Parameters<typeof download>): Promise<string> => {
    const key = JSON.stringify(asked)
    const path = downloads.get(key) ?? download(...asked)
    downloads.set(key, path)
    return path
  }

  beforeAll(async () => {
    t = await startTestCluster()
    await loadSampleData(t.cluster)
    const last = await readAround()
    // Published as far as the last of these reads.
    const officer = await t.cluster.token('bouchard')
    for (const { log, first } of last) {
      const path = `/audit/proof/${log}/${first}`
      let response = await t.get(path, officer, { prefer: 'wait=5' })
      while (response.status === 202) response = await t.get(path, officer, { prefer: 'wait=5' })
      expect(response.status).toBe(200)
    }
    published = await fetchPublicFiles(t.cluster.url)
    const file = readFileSync(await downloaded('export', 'trail.ndjson'), 'utf8')
    const lines = file.trimEnd().split('\n').slice(1)
    leaves = new Map(
      lines.flatMap((text) => {
        const { entry, leaf } = JSON.parse(text) as Line & { readonly leaf: string }
        return entry === undefined ? [] : [[`${entry.log}/${entry.index}`, leaf] as const]
      }),
    )
    entries = lines.flatMap((text) => {
      const { entry } = JSON.parse(text) as Partial<Line>
      if (entry === undefined) return []
      const body = text.slice('{"entry":'.length, text.lastIndexOf(',"leaf":"'))
      return [{ log: entry.log, index: entry.index, text: body, access: entry.access }]
    })
    await collect()
  }, 300_000)
  afterAll(() => t?.end())

  /** Reads of several kinds at both logs, permitted and not. */
  async function readAround(): Promise<{ log: string; first: bigint }[]> {
    const [patient] = patients
    if (patient === undefined) throw new Error('no patients')
    const identifier = `https://fhir.infoway-inforoute.ca/NamingSystem/ca-qc-patient-healthcare-id|${healthInsuranceNumber(patient)}`
    const receipts: Response[] = []
    for (const login of ['gagnon', 'tremblay']) {
      const token = await t.cluster.token(login)
      const query = new URLSearchParams({ identifier, birthdate: patient.birthDate })
      const found = await t.get(`/fhir/Patient?${query}`, token, { 'x-request-id': `ask-${login}-7731` })
      const { entry = [] } = (await found.json()) as { entry?: { resource: { id: string } }[] }
      const id = entry[0]?.resource.id ?? 'nobody-here'
      for (const path of [
        `/fhir/Observation?patient=${id}`,
        `/fhir/Patient/${id}`,
        `/fhir/Condition?patient=${id}`,
      ])
        receipts.push(await t.get(path, token))
      receipts.push(
        await t.get(`/fhir/Observation?patient=${id}`, await t.cluster.token(login, { purpose: 'ETREAT' }), {
          'break-glass-reason': 'Inconscient, sans papiers',
        }),
      )
    }
    return receipts.flatMap((response) => {
      const receipt = response.headers.get('dossier-receipt')
      return receipt === null
        ? []
        : [parseReceipt(receipt)].map(({ log, first }) => ({ log, first: BigInt(first) }))
    })
  }

  /** Every identifier of the sample, and where it comes from. */
  async function collect(): Promise<void> {
    const add = (from: string, ...values: readonly unknown[]): void => {
      for (const value of values)
        if (typeof value === 'string' && value !== '' && !identifiers.has(value)) identifiers.set(value, from)
    }
    for (const one of patients) {
      add('patient', one.family, ...one.given, one.birthDate, one.line, one.postalCode, one.phone)
      add('health-insurance number', healthInsuranceNumber(one))
    }
    for (const { bundle } of generateSample(sampleSeed))
      for (const { resource } of bundle.entry) {
        add('document as published', resource.id)
        const { identifier = [] } = resource as { identifier?: readonly { value?: string }[] }
        if (Array.isArray(identifier)) add('identifier', ...identifier.map(({ value }) => value))
      }
    for (const { login, id, name } of professionals) add('professional', login, id, name)
    for (const { login, name, number, birthDate } of holders) add('holder', login, name, number, birthDate)
    for (const { id, uri, name } of facilities) add('facility', id, uri, name)
    for (const { id, name } of organisations) add('organisation', id, name)
    for (const { clientId, name } of clients) add('client', clientId, name)
    const { primary, local } = t.cluster.databases
    for (const database of [primary, ...Object.values(local)]) {
      const [documents = [], records = []] = await hranaReader({
        url: database.url,
        token: database.readToken,
      }).read([{ sql: 'select id from document' }, { sql: 'select id, person from source_record' }])
      add('document', ...documents.map(({ id }) => id))
      for (const { id, person } of records) add('person', id, person)
    }
    for (const { access } of entries) {
      add('entry', access.patient, access.requestId, access.clientRequestId, access.breakGlassReason)
      add('query', access.query.text, access.query.sha256)
      add(
        'resource',
        ...access.resources,
        ...access.resources.flatMap((reference) => reference.split('/')[1] ?? []),
      )
      const { role, ...who } = access.who
      add('accessor', ...Object.values(who))
    }
  }

  test('the sample, the reads and the files are there', () => {
    const from = new Set(identifiers.values())
    expect([...from].sort()).toEqual([
      'accessor',
      'client',
      'document',
      'document as published',
      'entry',
      'facility',
      'health-insurance number',
      'holder',
      'identifier',
      'organisation',
      'patient',
      'person',
      'professional',
      'query',
      'resource',
    ])
    expect(identifiers.size).toBeGreaterThan(1_000)
    expect(published.logs.map(({ log }) => log)).toEqual(['montreal', 'quebec'])
    expect(new Set(entries.map(({ log }) => log))).toEqual(new Set(['montreal', 'quebec']))
    expect(published.bundles.size).toBeGreaterThanOrEqual(2)
  })

  test('a leaf is 33 bytes that begin with 0x01, and there is nothing else in a bundle', () => {
    for (const [path, count] of published.bundles) {
      const bundle = Buffer.from(published.files.get(path) as Uint8Array)
      expect([path, bundle.length]).toEqual([path, count * 35])
      for (let i = 0; i < count; i += 1)
        expect([path, i, bundle.subarray(i * 35, i * 35 + 3).toString('hex')]).toEqual([path, i, '002101'])
    }
  })

  /** The public address of the record and the names of its logs are no secret: they are taken out of the texts. */
  const withoutOrigins = (): Map<string, Uint8Array> =>
    new Map(
      [...published.files].map(([path, bytes]) => {
        if (isBinary(path)) return [path, bytes]
        const text = published.logs.reduce(
          (rest, { origin, url }) => rest.replaceAll(url, '').replaceAll(origin, ''),
          Buffer.from(bytes).toString(),
        )
        return [path, Buffer.from(text)]
      }),
    )
  const isBinary = (path: string): boolean => path.includes('/tile/') && !path.endsWith(' headers')
  const publicNames = new Set(['montreal', 'quebec'])
  const sought = (): string[] => [...identifiers.keys()].filter((identifier) => !publicNames.has(identifier))

  test('no identifier is in a public file, written or hashed', { timeout: 300_000 }, () => {
    const search = new IdentifierSearch(withoutOrigins(), (path) => !isBinary(path))
    expect(sought().flatMap((identifier) => search.find(identifier))).toEqual([])
  })

  test('no entry is, nor a hash of one without its salt', { timeout: 300_000 }, () => {
    const search = new IdentifierSearch(withoutOrigins(), (path) => !isBinary(path))
    expect(entries.length).toBeGreaterThan(50)
    expect(entries.flatMap(({ text }) => search.find(text))).toEqual([])
    // Nor is anything that all entries of a person would have in common: leaves are all different.
    expect(new Set(leaves.values()).size).toBe(leaves.size)
  })

  test('the search finds them where they are: in a private export, and put into a bundle in any form', () => {
    const trail = new Map([['trail', Buffer.from(entries.map(({ text }) => text).join('\n'))]])
    const search = new IdentifierSearch(trail, () => true)
    const ofEntries = [...identifiers].filter(([, from]) => ['entry', 'accessor', 'resource'].includes(from))
    for (const [identifier] of ofEntries)
      expect([identifier, search.findsWritten(identifier)]).toEqual([identifier, true])
    const [path] = published.bundles.keys()
    const bundle = Buffer.from(published.files.get(path as string) as Uint8Array)
    for (const identifier of [
      healthInsuranceNumber(patients[0] as (typeof patients)[0]),
      entries[0]?.text as string,
    ]) {
      const planted = new Map(
        [...formsOf(identifier)].map(([form, bytes]) => [
          form,
          Buffer.concat([bundle.subarray(0, 20), bytes, bundle.subarray(20)]),
        ]),
      )
      const found = new IdentifierSearch(planted, () => false).find(identifier)
      expect(found.map(({ form }) => form)).toEqual([...planted.keys()])
    }
    const digest = createHash('md5').update('1987-03-04').digest('hex')
    const text = new Map([['list', Buffer.from(`{"id":"${digest}","name":"Léo"}`)]])
    expect(new IdentifierSearch(text, () => true).find('1987-03-04').map(({ form }) => form)).toContain(
      'hexadecimal of md5',
    )
    expect(new IdentifierSearch(text, () => true).find('Léo')).toMatchObject([{ form: 'word' }])
  })

  test('few identifiers are so short that they are looked for as words and hashes only', () => {
    const short = sought().filter(isShort)
    expect(short.every((identifier) => Buffer.byteLength(identifier) < shortestBytes)).toBe(true)
    expect(short.length).toBeLessThan(identifiers.size / 20)
    console.info(`looked for as words and hashes only: ${short.sort().join(', ')}`)
  })

  describe.each([
    ['TypeScript', true, dossier],
    ['Python', hasPython, python],
  ] as const)('the verifier in %s', (_, isThere, command) => {
    const verified = async (...args: readonly string[]): Promise<string> => {
      const { code, out, err } = await command(...args)
      expect({ args, code, err }).toEqual({ args, code: 0, err: '' })
      expect(out.trimEnd().split('\n').at(-1)).toMatch(/^verified/)
      return out
    }
    const refused = async (code: string, ...args: readonly string[]): Promise<void> => {
      const answer = await command(...args)
      expect({ args, code: answer.code, out: answer.out }).toEqual({ args, code: 1, out: '' })
      expect(answer.err).toContain(`: ${code}: `)
    }
    const policy = (): string => {
      const text = [
        ...published.logs.flatMap(({ vkey, mldsa44Vkey }) => [`log ${vkey}`, `log ${mldsa44Vkey}`]),
        'quorum none',
        '',
      ].join('\n')
      writeFileSync(at('policy'), text)
      return at('policy')
    }
    const known = (only?: string): readonly string[] =>
      published.logs.flatMap(({ log }) => {
        if (only !== undefined && log !== only) return []
        const path = at(`${log}.checkpoint`)
        writeFileSync(path, published.files.get(`/audit/logs/${log}/checkpoint`) as Uint8Array)
        return ['--known', path]
      })

    test.skipIf(!isThere)('finds the logs in order, by their public address', async () => {
      const out = await verified('fsck', t.cluster.url, '--policy', policy(), ...known())
      expect(out).toMatch(/montreal.*\n.*quebec/)
    })

    test.skipIf(!isThere)('verifies every kind of export of the record, and refuses it changed', async () => {
      const person = entries.find(({ access }) => access.patient !== null)?.access.patient as string
      const organisation = entries.find(({ access }) => access.who.organisation !== null)?.access.who
        .organisation
      const kinds: readonly (readonly [string, readonly string[]])[] = [
        ['range', []],
        ['range', ['--log', 'quebec']],
        ['patient-chain', ['--patient', person]],
        ['patient-chain', ['--patient', 'nobody']],
        ['organisation-chain', ['--organisation', organisation as string]],
        ['none', ['--action', 'search']],
      ]
      for (const [i, [completeness, filters]] of kinds.entries()) {
        const knowns = known(filters[0] === '--log' ? filters[1] : undefined)
        const path = await downloaded('export', `export-${i}.ndjson`, ...filters, ...knowns)
        const text = readFileSync(path, 'utf8')
        expect([filters, text.slice(0, text.indexOf('\n'))]).toEqual([
          filters,
          expect.stringContaining(`"completeness":"${completeness}"`),
        ])
        await verified('verify', path, '--policy', policy(), ...knowns)
        if (!text.includes('"outcome":"permit"')) continue
        writeFileSync(at('changed.ndjson'), text.replace('"outcome":"permit"', '"outcome":"deny"'))
        await refused('leaf', 'verify', at('changed.ndjson'))
      }
    })

    test.skipIf(!isThere)(
      'verifies a CSV by the export that comes with it, and refuses it changed',
      async () => {
        const path = await downloaded('export', 'trail.csv', '--format', 'csv')
        await verified('verify', path, '--proof', `${path}.proof.ndjson`, '--policy', policy())
        writeFileSync(at('changed.csv'), readFileSync(path, 'utf8').replace(',permit,', ',deny,'))
        await refused('csv-cell', 'verify', at('changed.csv'), '--proof', `${path}.proof.ndjson`)
      },
    )

    test.skipIf(!isThere)('verifies the proof of one entry, and refuses it changed', async () => {
      const { log, index } = entries[3] as (typeof entries)[0]
      const path = await downloaded('proof', 'entry.tlog-proof', log, index)
      const policyPath = policy()
      await verified('verify', path, '--policy', policyPath)
      const text = readFileSync(path, 'utf8')
      writeFileSync(
        at('changed.tlog-proof'),
        text.replace(`\nindex ${index}\n`, `\nindex ${Number(index) + 1}\n`),
      )
      await refused('inclusion', 'verify', at('changed.tlog-proof'), '--policy', policyPath)
    })
  })

  test('the verifier of the browser verifies the export, too', async () => {
    const file = new Blob([readFileSync(at('trail.ndjson'))]).stream()
    expect(await verify(portableCrypto, { file })).toMatchObject({ ok: true, kind: 'range' })
  })
})
