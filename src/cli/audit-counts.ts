/** `dossier audit accounting` and `dossier audit report`: counts of the log in a file. */
import { SingleBar } from 'cli-progress'
import { Command, Option } from 'commander'
import { fetchCounts, type Received } from '../local/client/audit-counts.ts'
import { officerLogin } from './access-command.ts'
import { type ClusterOptions, clusterCommand, reachCluster } from './cluster-file.ts'

interface CountOptions extends ClusterOptions {
  readonly out: string
  readonly format: 'json' | 'csv'
  readonly organisation?: string
}

interface AccountingOptions extends CountOptions {
  readonly from: string
  readonly to: string
  readonly patients?: true
}

interface ReportOptions extends CountOptions {
  readonly year: string
}

export const accountingCommand = (): Command =>
  counting('accounting', 'count who opened what at an organisation, and who elsewhere of its patients')
    .requiredOption('--from <instant>', 'accesses not earlier than this, e.g. 2026-11-01T00:00:00-04:00')
    .requiredOption('--to <instant>', 'accesses earlier than this')
    .option('--patients', 'a line for each professional and patient too; each is named in the log')
    .action(async ({ from, to, patients, ...options }: AccountingOptions) => {
      const detail = patients === undefined ? {} : { detail: 'patients' }
      await fetchShown('/audit/accounting', { from, to, ...detail }, options)
    })

export const reportCommand = (): Command =>
  counting('report', 'count the accesses of a year for the minister, those other than for care by why')
    .requiredOption('--year <year>', 'e.g. 2026')
    .action(async ({ year, ...options }: ReportOptions) => {
      await fetchShown('/audit/report', { year }, options)
    })

const counting = (name: string, description: string): Command =>
  clusterCommand(new Command(name).description(description))
    .requiredOption('--out <file>', 'where to')
    .option('--organisation <id>', 'whose; the privacy officer of one organisation has no other')
    .addOption(new Option('--format <format>', 'file format').choices(['json', 'csv']).default('json'))

async function fetchShown(
  path: string,
  asked: Readonly<Record<string, string>>,
  { format, organisation, out, ...cluster }: CountOptions,
): Promise<void> {
  const query = new URLSearchParams({ ...asked, format })
  if (organisation !== undefined) query.set('organisation', organisation)
  const target = { ...reachCluster(cluster, officerLogin), language: 'en' } as const
  const bar = showProgress()
  try {
    const { bytes } = await fetchCounts(target, `${path}?${query}`, out, bar.update)
    bar.end()
    process.stdout.write(`${bytes} bytes in ${out}\n`)
  } finally {
    bar.end()
  }
}

/** That the count goes on, where somebody watches: how much is left nobody knows. */
function showProgress(): { update(soFar: Received): void; end(): void } {
  if (!process.stderr.isTTY) return { update: () => {}, end: () => {} }
  const bar = new SingleBar({
    stream: process.stderr,
    format: 'counting: {value} steps, {bytes} bytes, {duration_formatted}',
    hideCursor: true,
  })
  bar.start(0, 0, { bytes: 0 })
  return {
    update: ({ lines, bytes }) => bar.update(lines, { bytes }),
    end: () => bar.stop(),
  }
}
