/** A verifier's report as the terminal shows it, the same for `verify` and `fsck`. */
import { createReadStream } from 'node:fs'
import type { Command } from 'commander'
import {
  type FileKind,
  type Finding,
  type Report,
  UnreadableError,
  type VerifiedLog,
} from '../audit/verify/report.ts'
import { readText } from '../audit/verify/text.ts'

/** What both commands take beside the file. */
export interface TrustOptions {
  readonly policy?: string
  readonly known: readonly string[]
}

/** Names of the inputs, as they were given. */
export interface InputNames extends TrustOptions {
  readonly file: string
  readonly proof?: string
}

/** Texts of policy and known checkpoints. @throws UnreadableError */
export async function readTrustFiles({
  policy,
  known,
}: TrustOptions): Promise<{ readonly policy?: string; readonly known: readonly string[] }> {
  const checkpoints: string[] = []
  for (const [i, file] of known.entries()) checkpoints.push(await readText(createReadStream(file), i))
  return policy === undefined
    ? { known: checkpoints }
    : { known: checkpoints, policy: await readText(createReadStream(policy), 'policy') }
}

/** Runs a verifier and shows its report. Exit code 1 and one line on stderr say the first thing wrong. */
export async function showReport(names: InputNames, run: () => Promise<Report>): Promise<void> {
  const report = await unreadableAsReport(run)
  if (report.ok) {
    process.stdout.write(`${reportLines(report, names.file).join('\n')}\n`)
    return
  }
  process.stderr.write(`${faultLine(report, names)}\n`)
  process.exitCode = 1
}

async function unreadableAsReport(run: () => Promise<Report>): Promise<Report> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    return { ok: false, ...error.finding() }
  }
}

/** `<file>: <code>: <place>: <sentence>` on one line, whatever the input has in its names. */
export function faultLine({ source, code, place, sentence }: Finding, names: InputNames): string {
  const file = typeof source === 'number' ? names.known[source] : names[source]
  return `${file ?? names.file}: ${code}: ${place}: ${sentence}`.replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd')
}

const promises: Readonly<Record<FileKind, string>> = {
  range: 'every entry of the range is open, redacted or pruned',
  'patient-chain': 'all entries about the patient, in every log',
  'organisation-chain': 'all entries of the organisation, in every log',
  none: 'every entry here is in its log, others may match too',
  'tlog-proof': 'the entry is in the log',
  tiles: 'tiles and entries agree with the checkpoints',
}

/** A line for each log, what was not checked, and the verdict. */
export function reportLines(report: Report & { readonly ok: true }, file: string): string[] {
  const entries = report.logs.reduce((sum, log) => sum + log.entries, 0)
  const where = report.kind === 'tiles' ? 'those in the list of logs' : 'those in the file'
  return [
    ...report.logs.map(logLine),
    ...report.notChecked.map((sentence) => `not checked: ${sentence}`),
    `verified ${file}: ${plural(entries, 'entry', 'entries')} of ${plural(report.logs.length, 'log', 'logs')}; ` +
      `${promises[report.kind]}; keys: ${report.trust === 'policy' ? 'those of the policy' : where}`,
  ]
}

function logLine(log: VerifiedLog): string {
  const facts = [
    `${plural(log.entries, 'entry', 'entries')} of ${log.first} up to ${log.end}`,
    ...(log.redacted === 0 ? [] : [`${log.redacted} redacted`]),
    ...(log.pruned === 0 ? [] : [`${log.pruned} pruned`]),
    `checkpoint of ${log.checkpointSize}`,
    ...(log.current ? [] : ['the log may have had newer entries']),
    ...(log.keys.length === 0
      ? ['nothing signed, as the log is empty']
      : [`signed by ${log.keys.join(', ')}`]),
    ...(log.witnesses.length === 0 ? [] : [`cosigned by ${log.witnesses.join(', ')}`]),
    ...log.known.map((size) => `agrees with the known checkpoint of ${size}`),
  ]
  return `${log.log}: ${facts.join('; ')}`
}

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

/** @param keys whose keys are used without a policy, e.g. `the keys in the file` */
export const withTrustOptions = (command: Command, keys: string): Command =>
  command
    .option('--policy <file>', `the logs and witnesses that are trusted; without it, ${keys} are`)
    .option('--known <file>', 'a checkpoint kept from earlier or had from a witness', collect, [])

/** An option that may be given again and again. */
const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
