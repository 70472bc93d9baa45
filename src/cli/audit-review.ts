/** `dossier audit review`: what the rules find in a month's accesses, and what an officer decides about a finding. */
import { SingleBar } from 'cli-progress'
import { type Command, Option } from 'commander'
import { fetchReview, type ReviewDocument, type ReviewedFinding } from '../local/client/audit-review.ts'
import { askRegistry } from '../local/client/registry-client.ts'
import { ClusterFailure } from '../local/failure.ts'
import { type AccessOptions, asking, officerLogin, print, reach, tableOf, textOf } from './access-command.ts'

interface ReviewOptions extends AccessOptions {
  readonly month: string
  readonly rule?: readonly string[]
  /** Id of a finding, or how it begins. */
  readonly decide?: string
  readonly as?: string
  readonly note?: string
  readonly mutedUntil?: string
}

export function reviewCommand(): Command {
  return asking('review', 'go through a month’s accesses by the rules of the monthly review')
    .requiredOption('--month <YYYY-MM>', 'the month, as Québec counts it')
    .option('--rule <name...>', 'only these rules')
    .option('--decide <finding>', 'decide about the finding of this id, or of the id that begins so')
    .addOption(
      new Option('--as <decision>', 'the decision').choices(['justified', 'unjustified', 'referred']),
    )
    .option('--note <text>', 'why, in words')
    .option('--muted-until <YYYY-MM-DD>', 'if justified: the same pattern is not told before that day')
    .action(async (options: ReviewOptions) => {
      if (options.decide !== undefined && options.as === undefined)
        throw new ClusterFailure('Say what is decided: --as justified, unjustified or referred.')
      const review = await fetched(options)
      if (options.decide !== undefined) return await decide(options, review, options.decide)
      print(options.json ? JSON.stringify(review, null, 2) : told(review))
    })
}

async function fetched({ month, rule = [], ...options }: ReviewOptions): Promise<ReviewDocument> {
  const query = new URLSearchParams({ month })
  for (const name of rule) query.append('rule', name)
  const bar = showProgress()
  try {
    return await fetchReview(reach(options, officerLogin), query, bar.update)
  } finally {
    bar.end()
  }
}

async function decide(
  { month, as, note, mutedUntil, ...options }: ReviewOptions,
  { findings }: ReviewDocument,
  wanted: string,
): Promise<void> {
  const matching = findings.filter(({ id }) => id.startsWith(wanted))
  const [finding] = matching
  if (finding === undefined || matching.length > 1)
    throw new ClusterFailure(
      `${matching.length === 0 ? 'No finding' : `${matching.length} findings`} of ${month} with an id that begins with ${wanted}.`,
    )
  const { rule, professional, patient } = finding
  const answer = await askRegistry(reach(options, officerLogin), '/audit/review/findings', {
    month,
    rule,
    professional: professional.id,
    ...(patient === null ? {} : { person: patient.person }),
    decision: as,
    ...(note === undefined ? {} : { note }),
    ...(mutedUntil === undefined ? {} : { mutedUntil }),
  })
  print(options.json ? JSON.stringify(answer, null, 2) : `${textOf(answer.id)}: ${textOf(answer.decision)}.`)
}

function told({ month, findings, summary }: ReviewDocument): string {
  const rows =
    findings.length === 0
      ? []
      : [
          tableOf(
            columns,
            findings.map((one) => ({ ...one })),
          ),
          '',
        ]
  return [...rows, sentenceOf(month, summary)].join('\n')
}

const finding = (row: unknown): ReviewedFinding => row as ReviewedFinding

const columns = [
  ['FINDING', (row: unknown) => finding(row).id.slice(0, 10)],
  ['RULE', (row: unknown) => finding(row).rule],
  ['PROFESSIONAL', (row: unknown) => `${finding(row).professional.name} (${finding(row).professional.id})`],
  ['PATIENT', (row: unknown) => finding(row).patient?.reference ?? finding(row).patient?.person],
  ['ENTRIES', (row: unknown) => finding(row).entryCount],
  ['FIRST', (row: unknown) => finding(row).entries[0]],
  [
    'NUMBERS',
    (row: unknown) => Object.entries(finding(row).numbers).map(([name, value]) => `${name}=${value}`),
  ],
  ['DECIDED', (row: unknown) => finding(row).decisions.map((one) => `${one.decision} (${one.month})`)],
] as const

/** What is not told is said, and why. */
function sentenceOf(month: string, summary: ReviewDocument['summary']): string {
  const counted = (name: string, words: string): readonly string[] =>
    summary[name] ? [`${summary[name]} ${words}`] : []
  return [
    `${month}: ${summary.findings} findings in ${summary.accesses} accesses of ${summary.professionals} professionals`,
    ...counted('muted', 'found justified before and muted'),
    ...counted('notYetDue', 'emergencies whose follow-up may still come'),
    ...counted('untold', 'findings counted but not told: too many'),
    ...counted('unreadAccesses', 'accesses not looked at: too many of one professional'),
    ...(summary.isProfessionalsCut ? ['not every professional was looked at: too many'] : []),
    ...(summary.isFactsCut ? ['not every fact was looked at: too many'] : []),
  ].join('; ')
}

/** How far a stream of unknown length is, where somebody watches. */
function showProgress(): { update(bytes: number): void; end(): void } {
  if (!process.stderr.isTTY) return { update: () => {}, end: () => {} }
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{value} bytes, {duration_formatted}',
    hideCursor: true,
  })
  bar.start(0, 0)
  return { update: (bytes) => bar.update(bytes), end: () => bar.stop() }
}
