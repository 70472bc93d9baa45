/** `dossier import`: publishes files of FHIR bundles, one after another, and says what became of them. */
import { basename } from 'node:path'
import { Command } from 'commander'
import { languageOf } from '../local/client/language.ts'
import { type Publication, PublishFailure, publish, type Target } from '../local/client/publisher.ts'
import { type ClusterOptions, clusterCommand, reachCluster } from './cluster-file.ts'
import { collectFiles, readBundleFile } from './import-files.ts'
import { emptyReport, type ImportReport, rejectList, summaryTable, withFile } from './import-report.ts'
import { importTexts } from './import-texts.ts'
import { type Progress, startProgress } from './progress.ts'

interface ImportOptions extends ClusterOptions {
  readonly facility: string
}

/** The command; it sets the exit code 1 when anything was not taken. */
export function importCommand(): Command {
  return clusterCommand(
    new Command('import')
      .description('publish FHIR bundles (transaction, batch, collection) or single resources as a facility')
      .argument('<path...>', 'files, or folders whose .json files are taken in byte order of their names')
      .requiredOption('--facility <id>', 'the facility that publishes'),
  ).action(async (paths: readonly string[], options: ImportOptions) => {
    const files = await collectFiles(paths)
    const language = languageOf(process.env)
    const text = importTexts[language]
    const target = { ...reachCluster(options, `system-${options.facility}`), language }
    const progress = startProgress(files.length, text.files)
    const { report, failure } = await importFiles(target, files, progress)
    progress.end()
    process.stdout.write(`${summaryTable(report, language)}\n`)
    const { length } = report.rejects
    process.stdout.write(`${text.sent(report.files, files.length, length)}\n`)
    for (const line of rejectList(report, language)) process.stderr.write(`${text.rejected}${line}\n`)
    if (failure !== null) process.stderr.write(`${text.stopped}${failure}\n`)
    if (failure !== null || length > 0) process.exitCode = 1
  })
}

/** What was sent, and why the rest was not (null: everything was). */
export interface ImportResult {
  readonly report: ImportReport
  readonly failure: string | null
}

/**
 * Publishes files in their order, each when the one before it has its answer: the last content of a resource is the
 * current one. A file that is rejected does not stop the others; a cluster that does not answer does.
 */
export async function importFiles(
  target: Target,
  files: readonly string[],
  progress: Pick<Progress, 'step'>,
): Promise<ImportResult> {
  let report = emptyReport
  for (const file of files) {
    try {
      const publication = await importFile(target, file)
      report = withFile(report, file, publication)
      const { effects, rejects } = publication
      progress.step(importTexts[target.language].step(basename(file), effects.length, rejects.length))
    } catch (error) {
      if (error instanceof PublishFailure) return { report, failure: error.message }
      throw error
    }
  }
  return { report, failure: null }
}

async function importFile(target: Target, file: string): Promise<Publication> {
  const bundle = await readBundleFile(file)
  if (!bundle.ok) return { effects: [], rejects: [{ entry: null, reason: bundle.error[target.language] }] }
  return publish(target, bundle.value)
}
