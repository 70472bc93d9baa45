/** `dossier audit`: what a privacy officer does with the log from a terminal. */
import { SingleBar } from 'cli-progress'
import { Command, Option } from 'commander'
import { type ExportFormat, type ExportResult, exportAudit } from '../local/client/audit-export.ts'
import { fsckCommand } from './audit-fsck.ts'
import { verifyCommand } from './audit-verify.ts'
import { type ClusterOptions, clusterCommand, reachCluster } from './cluster-file.ts'

/** The sample's privacy officer of the whole record. */
const privacyOfficer = 'bouchard'

/** Filters of `GET /audit/export`, each under the name it has there. */
const filters = [
  ['from', '<instant>', 'entries not earlier than this, e.g. 2026-11-01T00:00:00Z'],
  ['to', '<instant>', 'entries earlier than this'],
  ['patient', '<id>', 'one person'],
  ['practitioner', '<id>', 'one professional, by registry id'],
  ['organisation', '<id>', 'one organisation'],
  ['action', '<name>', 'e.g. read, search, publish, authenticate'],
  ['outcome', '<name>', 'permit, deny or error'],
] as const

type Filter = (typeof filters)[number][0]

interface ExportOptions extends ClusterOptions, Partial<Readonly<Record<Filter, string>>> {
  readonly out: string
  readonly format: ExportFormat
  readonly log?: readonly string[]
}

export function auditCommand(): Command {
  return new Command('audit')
    .description('the audit log')
    .addCommand(exportCommand())
    .addCommand(verifyCommand())
    .addCommand(fsckCommand())
}

function exportCommand(): Command {
  const command = clusterCommand(
    new Command('export').description('write the audit log, or a part of it, to a file'),
  )
    .requiredOption('--out <file>', 'where to')
    .addOption(new Option('--format <format>', 'file format').choices(['ndjson', 'csv']).default('ndjson'))
    .option('--log <name...>', 'only these logs')
  for (const [name, value, description] of filters) command.option(`--${name} ${value}`, description)
  return command.action(async (options: ExportOptions) => {
    const bar = showProgress()
    try {
      const target = { ...reachCluster(options, privacyOfficer), language: 'en' } as const
      const result = await exportAudit(target, queryOf(options), options.format, options.out, bar.update)
      bar.end()
      process.stdout.write(`${result.entries} entries, ${result.bytes} bytes in ${options.out}\n`)
    } finally {
      bar.end()
    }
  })
}

/** The query of the request; a filter that is not named is not sent. */
export function queryOf(options: Pick<ExportOptions, 'log' | Filter>): URLSearchParams {
  const query = new URLSearchParams()
  for (const log of options.log ?? []) query.append('log', log)
  for (const [name] of filters) {
    const value = options[name]
    if (value !== undefined) query.set(name, value)
  }
  return query
}

/** How far a stream of unknown length is, where somebody watches. */
function showProgress(): { update(soFar: ExportResult): void; end(): void } {
  if (!process.stderr.isTTY) return { update: () => {}, end: () => {} }
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{value} entries, {bytes} bytes',
    hideCursor: true,
  })
  bar.start(0, 0, { bytes: 0 })
  return {
    update: ({ entries, bytes }) => bar.update(entries, { bytes }),
    end: () => bar.stop(),
  }
}
