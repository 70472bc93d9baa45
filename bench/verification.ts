/**
 * Whether what comes out of a large log verifies, and how fast: exports in every format by the command line, checked by the
 * command lines of both verifiers, as they come, in gzip, and in copies in which somebody changed an entry.
 */
import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { proofFileOf } from '../src/local/client/export-files.ts'
import type { Cluster } from '../src/local/cluster.ts'
import type { ExportFormat } from '../src/trail/export-format.ts'
import { alterFile, type Change, findVictim, type Victim } from './altered-file.ts'
import { type CommandRun, runCommand } from './command-run.ts'
import { withFilledCluster } from './filled-cluster.ts'
import type { Figure, Measured, Scale, Scenario, Skipped } from './scenario.ts'

/** More than these would only be slower: whether a file verifies does not hang on it, nor does a speed. */
const maxEntries = 100_000

/** So few that verifying them is starting the verifier. */
const fewEntries = 8

/** Of each verifier, in turn. */
const rounds = 5

const log = 'bench'
const smallLog = 'bench-small'

const formats: readonly ExportFormat[] = ['ndjson', 'csv', 'fhir']
const changes: readonly Change[] = ['outcome', 'patient']

const root = join(import.meta.dirname, '..')
const dossier = join(root, 'src', 'cli', 'dossier.mjs')

interface Verifier {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** Entries of an NDJSON range export a second that the design promises, on one core (DESIGN §10). */
  readonly minSpeed: number
  /** How it says that it found all of them. */
  readonly whole: (entries: number) => string
}

const verifiers: readonly Verifier[] = [
  {
    name: 'TypeScript',
    command: [process.execPath, dossier, 'audit', 'verify'],
    minSpeed: 100_000,
    whole: (entries) => `${entries} entries of 1 log`,
  },
  {
    name: 'Python',
    command: ['python3', join(root, 'verifier', 'dossier_verify.py'), 'verify'],
    minSpeed: 50_000,
    whole: (entries) => `entries 0 up to ${entries} of ${entries}`,
  },
]

export const verification: Scenario = { name: 'verification', run }

async function run(scale: Scale): Promise<Measured> {
  const entries = Math.min(scale.entries, maxEntries)
  const missing = missingForPython()
  const able = verifiers.filter(({ name }) => name !== 'Python' || missing === null)
  const skipped: readonly Skipped[] = missing === null ? [] : [{ name: 'Python', why: missing }]
  return withFilledCluster({ [log]: entries, [smallLog]: fewEntries }, async (cluster, folder) => {
    const fetched = await fetchFiles(cluster, folder, entries)
    const files = fetched.map(({ file }) => file)
    const small = await fetchFile(cluster, folder, smallLog, 'ndjson', fewEntries)
    const victim = await findVictim(join(folder, `${log}.ndjson`), log, Math.floor(entries / 2))
    const figures = [
      ...fetched.flatMap(({ figures }) => figures),
      ...(await timings(able, files, small, entries)),
    ]
    for (const file of files) await findChanges(able, folder, file, victim)
    for (const file of files) await checkCompressed(able, file, entries)
    return { figures, skipped }
  })
}

/** Null: the verifier in Python runs here. */
function missingForPython(): string | null {
  const isNew = 'import sys; sys.exit(sys.version_info < (3, 9))'
  if (!succeeds('python3', '-c', isNew)) return 'no python3 of 3.9 or newer'
  return succeeds('openssl', 'version') ? null : 'no openssl'
}

const succeeds = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args).status === 0

/** An export as it was fetched. */
interface Exported {
  readonly format: ExportFormat
  readonly path: string
  /** Null: it proves itself. */
  readonly proof: string | null
}

const pathsOf = ({ path, proof }: Exported): readonly string[] => (proof === null ? [path] : [path, proof])

const argumentsOf = ({ path, proof }: Pick<Exported, 'path' | 'proof'>): readonly string[] =>
  proof === null ? [path] : [path, '--proof', proof]

interface Fetched {
  readonly file: Exported
  readonly figures: readonly Figure[]
}

async function fetchFiles(cluster: Cluster, folder: string, entries: number): Promise<readonly Fetched[]> {
  const fetched: Fetched[] = []
  for (const format of formats) {
    const file = await fetchFile(cluster, folder, log, format, entries)
    const figures = pathsOf(file).map((path, i) => ({
      name: `${format}: ${i === 0 ? 'file' : 'proof file'}`,
      value: statSync(path).size / 2 ** 20,
      unit: 'MiB',
      goal: null,
    }))
    fetched.push({ file, figures })
  }
  return fetched
}

async function fetchFile(
  cluster: Cluster,
  folder: string,
  from: string,
  format: ExportFormat,
  entries: number,
): Promise<Exported> {
  const path = join(folder, `${from}.${format}`)
  const args = [dossier, 'audit', 'export', '--log', from, '--format', format, '--out', path]
  const done = await runCommand(process.execPath, args, { DOSSIER_HOME: cluster.home })
  if (done.code !== 0 || !done.out.startsWith(`${entries} entries,`))
    throw new Error(`no export of ${entries} entries as ${format}: ${done.out}${done.error}`)
  say(`${from}: exported as ${format}`)
  return { format, path, proof: format === 'ndjson' ? null : proofFileOf(path) }
}

/** NDJSON in turns, and what starting takes; the other formats once. */
async function timings(
  able: readonly Verifier[],
  files: readonly Exported[],
  small: Exported,
  entries: number,
): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  const starts = await inTurns(able, small, fewEntries)
  for (const file of files) {
    const runs = await inTurns(able, file, entries, file.format === 'ndjson' ? rounds : 1)
    for (const [i, verifier] of able.entries()) {
      const [started, timed] = [starts[i] ?? [], runs[i] ?? []]
      figures.push(...figuresOf(verifier, file.format, entries, started, timed))
    }
  }
  return figures
}

/** @returns the runs of each verifier */
async function inTurns(
  able: readonly Verifier[],
  file: Exported,
  entries: number,
  times = rounds,
): Promise<readonly (readonly CommandRun[])[]> {
  const runs: CommandRun[][] = able.map(() => [])
  for (let round = 0; round < times; round++)
    for (const [i, verifier] of able.entries()) {
      runs[i]?.push(await mustVerify(verifier, file, entries))
      say(`${file.format}: ${verifier.name} verifies ${entries} entries, ${round + 1} of ${times}`)
    }
  return runs
}

async function mustVerify(
  { name, command: [program, ...args], whole }: Verifier,
  file: Pick<Exported, 'path' | 'proof'>,
  entries: number,
): Promise<CommandRun> {
  const done = await runCommand(program, [...args, ...argumentsOf(file)])
  if (done.code === 0 && done.out.includes(whole(entries))) return done
  throw new Error(`${name} does not verify ${file.path}: ${done.out}${done.error}`)
}

/** What was changed is found by both verifiers, at its place. */
async function findChanges(
  able: readonly Verifier[],
  folder: string,
  file: Exported,
  victim: Victim,
): Promise<void> {
  for (const change of changes) {
    const path = join(folder, `altered.${file.format}`)
    const place = await alterFile(file.path, path, file.format, victim, change)
    for (const { name, command } of able) {
      const [program, ...args] = command
      const done = await runCommand(program, [...args, ...argumentsOf({ ...file, path })])
      if (done.code !== 1 || !done.error.includes(`: ${place}: `))
        throw new Error(
          `${name} does not find that the ${change} at ${place} was changed: exit code ${done.code}, ${done.out}${done.error}`,
        )
      say(
        `${file.format}: ${name} finds that the ${change} of ${victim.log}/${victim.index} was changed: ${place}`,
      )
    }
  }
}

async function checkCompressed(able: readonly Verifier[], file: Exported, entries: number): Promise<void> {
  for (const path of pathsOf(file))
    await pipeline(createReadStream(path), createGzip({ level: 1 }), createWriteStream(`${path}.gz`))
  const compressed = { path: `${file.path}.gz`, proof: file.proof === null ? null : `${file.proof}.gz` }
  for (const verifier of able) {
    await mustVerify(verifier, compressed, entries)
    say(`${file.format}: ${verifier.name} verifies it in gzip`)
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Of the entries alone: starting, which takes the same of any file, is told apart and not in the speeds. */
function figuresOf(
  { name, minSpeed }: Verifier,
  format: ExportFormat,
  entries: number,
  starts: readonly CommandRun[],
  runs: readonly CommandRun[],
): readonly Figure[] {
  const speedsBy = (timeOf: (run: CommandRun) => number): readonly number[] => {
    const start = median(starts.map(timeOf))
    return runs.map((run) => (entries - fewEntries) / (timeOf(run) - start))
  }
  const byCpu = speedsBy(({ cpuSeconds }) => cpuSeconds)
  const figure = (what: string, value: number, unit: string, goal: Figure['goal'] = null): Figure => ({
    name: `${format}: ${name}: ${what}`,
    value,
    unit,
    goal,
  })
  const isPromised = format === 'ndjson'
  return [
    figure(
      'speed of a core',
      median(byCpu),
      'entries/CPU s',
      isPromised ? { kind: 'at least', value: minSpeed } : null,
    ),
    ...(runs.length === 1
      ? []
      : [
          figure('slowest', Math.min(...byCpu), 'entries/CPU s'),
          figure('fastest', Math.max(...byCpu), 'entries/CPU s'),
        ]),
    figure('speed by the clock', median(speedsBy(({ seconds }) => seconds)), 'entries/s'),
    ...(isPromised
      ? [figure('start', median(starts.map(({ cpuSeconds }) => cpuSeconds)) * 1_000, 'CPU ms')]
      : []),
    figure('peak memory', Math.max(...runs.map(({ peakBytes }) => peakBytes)) / 2 ** 20, 'MiB'),
  ]
}

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}
