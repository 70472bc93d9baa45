/** `dossier import` and `dossier audit export` as a person runs them: as processes, against a cluster of this machine. */
import { execFile } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { portableCrypto } from '../../src/audit/verify/portable-crypto.ts'
import { verify } from '../../src/audit/verify/verify.ts'
import { byteOrder } from '../../src/cli/import-files.ts'
import { readExport } from '../../src/local/receipt-proof.ts'
import { observation, patientResource, samplePatient, transaction } from './bundles.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const synthea = '../shared/data/synthea'
const facility = 'hopital-mont-royal'

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

describe('the dossier command', () => {
  let running: TestCluster
  let folder: string

  beforeAll(async () => {
    running = await startTestCluster()
    folder = await mkdtemp(join(tmpdir(), 'dossier-command-'))
  })
  afterAll(async () => {
    await running?.end()
    await rm(folder, { recursive: true, force: true })
  })

  const dossier = (...args: string[]): Promise<Ran> => dossierIn('C', ...args)
  const dossierIn = (locale: string, ...args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { ...process.env, DOSSIER_HOME: running.cluster.home, LC_ALL: locale }
      execFile(process.execPath, ['src/cli/dossier.mjs', ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      )
    })
  /** The line of a type in the summary, as numbers: created, updated, unchanged. */
  const counts = ({ stdout }: Ran, type: string): readonly number[] =>
    (new RegExp(`^${type} +(\\d+) +(\\d+) +(\\d+)$`, 'm').exec(stdout) ?? []).slice(1).map(Number)
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name)
    await writeFile(path, content)
    return path
  }

  const person = samplePatient(7)
  const bundle = (value: string) =>
    JSON.stringify(
      transaction(patientResource(person), observation(person, { n: 1, date: '2024-01-01', value })),
    )

  test('import publishes files, and tells created, unchanged and updated apart', async () => {
    const file = await write('a.json', bundle('first'))
    const first = await dossier('import', file, '--facility', facility)
    expect([first.code, counts(first, 'Patient'), counts(first, 'total')]).toEqual([0, [1, 0, 0], [2, 0, 0]])
    expect(first.stdout).toContain('1 of 1 files sent, 0 rejected')
    const again = await dossier('import', file, '--facility', facility)
    expect([again.code, counts(again, 'total')]).toEqual([0, [0, 0, 2]])
    await write('a.json', bundle('second'))
    const changed = await dossier('import', file, '--facility', facility)
    expect([changed.code, counts(changed, 'Observation'), counts(changed, 'total')]).toEqual([
      0,
      [0, 1, 0],
      [0, 1, 1],
    ])
  })

  test('import lists what was not taken with its reason, takes the rest, and ends with 1', async () => {
    const good = await write('good.json', JSON.stringify(patientResource(samplePatient(8))))
    const bad = await write(
      'bad.json',
      JSON.stringify({
        resourceType: 'Bundle',
        type: 'batch',
        entry: [
          { resource: patientResource(samplePatient(9)), request: { method: 'POST', url: 'Patient' } },
          { resource: { resourceType: 'Nonsense' }, request: { method: 'POST', url: 'Nonsense' } },
        ],
      }),
    )
    const broken = await write('broken.json', '{"resourceType":')
    const answer = await write('answer.json', '{"resourceType":"Bundle","type":"searchset"}')
    const ran = await dossier('import', bad, broken, answer, good, '--facility', facility)
    expect(ran.code).toBe(1)
    expect(counts(ran, 'Patient')).toEqual([2, 0, 0])
    expect(ran.stdout).toContain('4 of 4 files sent, 3 rejected')
    expect(ran.stderr).toMatch(/rejected: .*bad\.json entry\[1\]: .+\(Bundle\.entry\[1\]/)
    expect(ran.stderr).toMatch(/rejected: .*broken\.json: The JSON is malformed/)
    expect(ran.stderr).toMatch(/rejected: .*answer\.json: a Bundle of type "searchset"/)
    const french = await dossierIn('fr_CA.UTF-8', 'import', bad, broken, answer, '--facility', facility)
    expect(french.stdout).toContain('fichiers envoyés : 3 sur 3, refus : 3')
    expect(french.stderr.split('\n')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^refusé : .*bad\.json entrée\[1\] : Type de ressource inconnu\. \(Bundle\.entry\[1\]/,
        ),
        expect.stringMatching(/^refusé : .*broken\.json : Le JSON est mal formé \(ligne 1, colonne 17\)\.$/),
        expect.stringMatching(/^refusé : .*answer\.json : un Bundle de type "searchset" : seuls/),
      ]),
    )
  })

  test('import takes a token from a file, and one that does not publish stops it with a sentence', async () => {
    const file = await write('a.json', bundle('second'))
    const token = await write('token', `${await running.cluster.token(`system-${facility}`)}\n`)
    const ran = await dossier('import', file, '--facility', facility, '--token-file', token)
    expect([ran.code, counts(ran, 'total')]).toEqual([0, [0, 0, 2]])
    await writeFile(token, await running.cluster.token('tremblay'))
    const refused = await dossier('import', file, '--facility', facility, '--token-file', token)
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('0 of 1 files sent')
    expect(refused.stderr).toContain('stopped: ')
    expect(refused.stderr).toContain('answered 403')
  })

  test('a path that does not exist, and a facility that is not there, are one sentence', async () => {
    const absent = await dossier('import', 'absent.json', '--facility', facility)
    expect([absent.code, absent.stderr]).toEqual([1, 'absent.json does not exist or cannot be read\n'])
    const file = await write('a.json', bundle('second'))
    const nowhere = await dossier('import', file, '--facility', 'nowhere')
    expect(nowhere.code).toBe(1)
    expect(nowhere.stderr).toMatch(/^stopped: .*"system-nowhere".*\n$/)
  })

  test('audit export writes a log that proves its receipts, filters it, and writes CSV', async () => {
    const response = await running.get(
      '/fhir/Location?patient=nobody',
      await running.cluster.token('tremblay'),
    )
    const receipt = response.headers.get('dossier-receipt') ?? ''
    const out = join(folder, 'log.ndjson')
    const ran = await dossier('audit', 'export', '--out', out)
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    const exported = readExport(await readFile(out, 'utf8'))
    expect(exported.prove(receipt)).toMatchObject([{ who: 'etienne-tremblay' }])
    expect(ran.stdout).toContain(`${exported.entries} entries, `)

    await dossier('audit', 'export', '--out', out, '--log', 'montreal', '--action', 'publish')
    const published = readExport(await readFile(out, 'utf8'))
    expect(published.entries).toBeGreaterThan(4)
    expect(published.entries).toBeLessThan(exported.entries)
    expect(() => published.prove(receipt)).toThrow(/not in the export/)

    const csv = join(folder, 'log.csv')
    const table = await dossier(
      'audit',
      'export',
      '--out',
      csv,
      '--format',
      'csv',
      '--log',
      'quebec',
      'montreal',
    )
    expect(table.code).toBe(0)
    expect((await readFile(csv, 'utf8')).split('\r\n').length - 2).toBeGreaterThanOrEqual(exported.entries)
    const report = await verify(portableCrypto, {
      file: createReadStream(csv),
      proof: createReadStream(`${csv}.proof.ndjson`),
    })
    expect(report).toMatchObject({ ok: true, kind: 'range' })
  })

  test('audit export proves that logs continue checkpoints kept from earlier, and audit proof writes one entry', async () => {
    const kept = join(folder, 'kept.checkpoint')
    const text = await (await running.get('/audit/logs/montreal/checkpoint', null)).text()
    await writeFile(kept, text)
    const out = join(folder, 'known.ndjson')
    const ran = await dossier('audit', 'export', '--out', out, '--known', kept)
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    const known = { known: [text] }
    expect(await verify(portableCrypto, { file: createReadStream(out), ...known })).toMatchObject({
      ok: true,
    })

    const proof = join(folder, 'entry.tlog-proof')
    const told = await dossier('audit', 'proof', 'montreal', '0', '--out', proof)
    expect([told.code, told.stdout]).toEqual([0, `montreal/0 and its proof in ${proof}\n`])
    const { origin } = new URL(running.cluster.url)
    const { logs } = (await (await fetch(`${origin}/audit/logs`)).json()) as { logs: { vkey: string }[] }
    const policy = `log ${logs[0]?.vkey}\nquorum none\n`
    expect(await verify(portableCrypto, { file: createReadStream(proof), policy })).toMatchObject({
      ok: true,
    })

    const none = await dossier('audit', 'proof', 'montreal', '999999', '--out', join(folder, 'none'))
    expect([none.code, existsSync(join(folder, 'none'))]).toEqual([1, false])
    const wrong = await dossier('audit', 'export', '--out', out, '--known', out)
    expect(wrong.stderr).toMatch(/is not a checkpoint/)
  })

  test('audit export tells a wrong filter and leaves no file', async () => {
    const out = join(folder, 'wrong.ndjson')
    const ran = await dossier('audit', 'export', '--out', out, '--from', 'yesterday')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('answered 400')
    expect(existsSync(out)).toBe(false)
  })

  describe.skipIf(!existsSync(synthea))('with real bundles', () => {
    test('import publishes a folder in byte order; a second time changes nothing', async () => {
      const names = (await readdir(synthea)).filter((name) => name.endsWith('.json')).sort(byteOrder)
      // The patients’ own files, which do not disagree with each other as the two directory files do.
      const files = names.slice(0, 4).map((name) => join(synthea, name))
      const ids = new Set<string>()
      for (const file of files) {
        const { entry } = JSON.parse(await readFile(file, 'utf8')) as {
          entry: { fullUrl: string; resource: { resourceType: string; id: string } }[]
        }
        for (const { resource } of entry) ids.add(`${resource.resourceType}/${resource.id}`)
      }
      const first = await dossier('import', ...files, '--facility', facility)
      expect([first.code, first.stderr.split('\n').length - 1]).toEqual([0, 4])
      expect(counts(first, 'total')[0]).toBe(ids.size)
      const again = await dossier('import', ...files, '--facility', facility)
      expect(again.code).toBe(0)
      expect(counts(again, 'total')[0]).toBe(0)
    })
  })
})
