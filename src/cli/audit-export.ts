/** `dossier audit export` and `dossier audit proof`: what a privacy officer takes out of the log. */
import { readFileSync } from 'node:fs'
import { SingleBar } from 'cli-progress'
import { Command, Option } from 'commander'
import { parseCheckpoint } from '../audit/tlog/checkpoint.ts'
import { parseNote } from '../audit/tlog/note.ts'
import { type ExportProgress, exportAudit, resumeExport } from '../local/client/audit-export.ts'
import { fetchProof } from '../local/client/audit-proof.ts'
import { proofFileOf } from '../local/client/export-files.ts'
import { ClusterFailure, messageOf } from '../local/failure.ts'
import type { ExportFormat } from '../trail/export-format.ts'
import { officerLogin } from './access-command.ts'
import { type ClusterOptions, clusterCommand, reachCluster } from './cluster-file.ts'

/** Filters of `GET /audit/export`, each under the name it has there. */
const filters = [
  ['from', '<instant>', 'entries not earlier than this, e.g. 2026-11-01T00:00:00Z'],
  ['to', '<instant>', 'entries earlier than this'],
  ['patient', '<id>', 'one person'],
  ['practitioner', '<id>', 'one professional, by registry id'],
  ['organisation', '<id>', 'one organisation'],
  ['action', '<name>', 'e.g. read, search, publish, authenticate'],
  ['outcome', '<name>', 'permit, deny or error'],
  ['facility', '<id>', 'one facility'],
  ['reason', '<name>', 'one reason of decision, e.g. shared-domain'],
] as const

type Filter = (typeof filters)[number][0]

interface ExportOptions extends ClusterOptions, Partial<Readonly<Record<Filter, string>>> {
  readonly out: string
  readonly format: ExportFormat
  readonly log?: readonly string[]
  readonly known?: readonly string[]
  readonly breakGlass?: true
  readonly resume?: true
}

export function exportCommand(): Command {
  const command = clusterCommand(
    new Command('export').description('write the audit log, or a part of it, to a file'),
  )
    .requiredOption('--out <file>', 'where to')
    .addOption(
      new Option(
        '--format <format>',
        'file format; CSV and FHIR (AuditEvent) come with the export that proves them',
      )
        .choices(['ndjson', 'csv', 'fhir'])
        .default('ndjson'),
    )
    .option('--resume', 'go on with an export to this file that broke off, as it was asked for')
    .option('--log <name...>', 'only these logs')
    .option('--break-glass', 'only what an emergency opened, or was to open')
    .option('--known <file...>', 'checkpoints of earlier: the file proves that the logs continue them')
  for (const [name, value, description] of filters) command.option(`--${name} ${value}`, description)
  return command.action(async (options: ExportOptions) => {
    const { out, format } = options
    const filters = queryOf(options)
    if (options.resume && (filters.size > 0 || command.getOptionValueSource('format') === 'cli'))
      throw new ClusterFailure('--resume goes on with what was asked for: name the file alone')
    const bar = showProgress()
    try {
      const target = { ...reachCluster(options, officerLogin), language: 'en' } as const
      const result = options.resume
        ? await resumeExport(target, out, bar.update)
        : { format, ...(await exportAudit(target, { filters, format, out }, bar.update)) }
      bar.end()
      const proof = result.format !== 'ndjson' ? `, proved by ${proofFileOf(out)}` : ''
      process.stdout.write(`${result.entries} entries, ${result.bytes} bytes in ${out}${proof}\n`)
    } finally {
      bar.end()
    }
  })
}

/** The query of the request; a filter that is not named is not sent. */
function queryOf(options: Pick<ExportOptions, 'log' | 'known' | 'breakGlass' | Filter>): URLSearchParams {
  const query = new URLSearchParams()
  for (const log of options.log ?? []) query.append('log', log)
  for (const file of options.known ?? []) query.append('known', positionOf(file))
  for (const [name] of filters) {
    const value = options[name]
    if (value !== undefined) query.set(name, value)
  }
  if (options.breakGlass) query.set('break-glass', 'true')
  return query
}

/** Log and size of the checkpoint in a file. */
function positionOf(file: string): string {
  try {
    const { origin, size } = parseCheckpoint(parseNote(readFileSync(file, 'utf8')).text)
    return `${origin.slice(origin.lastIndexOf('/') + 1)}:${size}`
  } catch (error) {
    throw new ClusterFailure(`${file} is not a checkpoint: ${messageOf(error)}`)
  }
}

/** How far the stream is, where somebody watches: of a range its header tells the length, and so how long it may take. */
function showProgress(): { update(soFar: ExportProgress): void; end(): void } {
  if (!process.stderr.isTTY) return { update: () => {}, end: () => {} }
  const bar = new SingleBar({
    stream: process.stderr,
    format: (_options, { value, total, eta }, { bytes }: { readonly bytes: number }) =>
      total === 0
        ? `${value} entries, ${bytes} bytes`
        : `${Math.floor((100 * value) / total)}%  ${value} of ${total} entries, ${bytes} bytes${Number.isFinite(Number(eta)) ? `, ${eta} s left` : ''}`,
    hideCursor: true,
  })
  bar.start(0, 0, { bytes: 0 })
  return {
    update: ({ entries, inRange, announced, bytes }) => {
      if (announced !== null) bar.setTotal(announced)
      bar.update(announced === null ? entries : inRange, { bytes })
    },
    end: () => bar.stop(),
  }
}

export function proofCommand(): Command {
  return clusterCommand(
    new Command('proof')
      .description('write one entry of the audit log with its proof to a file')
      .argument('<log>', 'name of the log, as a receipt has it before the slash')
      .argument('<index>', 'index of the entry, as a receipt has it after the slash'),
  )
    .requiredOption('--out <file>', 'where to')
    .action(async (log: string, index: string, options: ClusterOptions & { readonly out: string }) => {
      const target = { ...reachCluster(options, officerLogin), language: 'en' } as const
      await fetchProof(target, log, index, options.out)
      process.stdout.write(`${log}/${index} and its proof in ${options.out}\n`)
    })
}
