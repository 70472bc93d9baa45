/**
 * `npm run bench`: measures what the design promises on this machine, scenario by scenario; a table on standard output,
 * JSON in `bench/results/`. Figures are printed and never fail anything: what a machine under load says is no defect.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { table } from '../src/cli/table.ts'
import { exportMemory } from './export-memory.ts'
import { publishing } from './publishing.ts'
import { type Figure, isReached, type Measured, type Scenario } from './scenario.ts'
import { validation } from './validation.ts'
import { verification } from './verification.ts'

const scenarios: readonly Scenario[] = [exportMemory, publishing, validation, verification]

const fullEntries = 1_000_000
const quickEntries = 100_000
/** Below it a log has no second level of tiles. */
const minEntries = 1_000

interface Options {
  readonly quick?: true
  readonly scale?: number
  readonly only?: string
}

const command = new Command('bench')
  .description('measure the figures of the design on this machine')
  .option('--quick', `a large log has ${quickEntries} entries instead of ${fullEntries}`)
  .option('--scale <n>', 'a large log has this many entries', entriesOf)
  .addOption(new Option('--only <name>', 'this scenario alone').choices(scenarios.map(({ name }) => name)))
  .action(run)

function entriesOf(text: string): number {
  if (/^[1-9]\d{2,8}$/.test(text) && Number(text) >= minEntries) return Number(text)
  throw new InvalidArgumentError(`a number of entries from ${minEntries} on`)
}

async function run({ quick, scale, only }: Options): Promise<void> {
  const entries = scale ?? (quick ? quickEntries : fullEntries)
  const startedAt = new Date()
  const results: Record<string, Measured> = {}
  for (const scenario of scenarios.filter(({ name }) => only === undefined || name === only)) {
    process.stderr.write(`${scenario.name}, ${entries} entries\n`)
    const measured = await scenario.run({ entries })
    results[scenario.name] = measured
    process.stdout.write(`${reportOf(scenario.name, measured)}\n`)
  }
  const file = write({ time: startedAt.toISOString(), machine: machine(), entries, results })
  process.stdout.write(`all figures in ${file}\n`)
}

const machine = () => ({
  cpus: cpus().map(({ model }) => model),
  memoryBytes: totalmem(),
  node: process.version,
})

function reportOf(name: string, { figures, skipped }: Measured): string {
  const rows = figures.map((figure) => [
    figure.name,
    rounded(figure.value),
    figure.unit,
    goalOf(figure),
    figure.goal === null ? '' : isReached(figure) ? 'yes' : 'no',
  ])
  return [
    `\n${name}`,
    ...(rows.length > 0 ? [table([['figure', 'value', 'unit', 'goal', 'reached'], ...rows])] : []),
    ...skipped.map((part) => `skipped: ${part.name}: ${part.why}`),
  ].join('\n')
}

const goalOf = ({ goal }: Figure): string => (goal === null ? '' : `${goal.kind} ${rounded(goal.value)}`)

const rounded = (value: number): string => (value < 1_000 ? value.toFixed(1) : String(Math.round(value)))

function write(result: { readonly time: string } & Readonly<Record<string, unknown>>): string {
  const folder = join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${result.time.replaceAll(':', '-')}.json`)
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
  return file
}

await command.parseAsync()
