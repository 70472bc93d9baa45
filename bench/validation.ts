/**
 * What validation costs of publishing, before anything is stored: Synthea's patients parsed and planned with it and without
 * it, in turns.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readBundle } from '../src/fhir/bundle.ts'
import { parseJson } from '../src/fhir/json.ts'
import { validateResource } from '../src/fhir/validate.ts'
import { generateDefinitions } from '../src/local/definitions/generate.ts'
import { definitionsOfR4 } from '../src/local/definitions/of-r4.ts'
import { personIdentifierSystems, sharingRules } from '../src/local/sample/policy.ts'
import { planPublication } from '../src/records/plan.ts'
import type { PlanContext } from '../src/records/plan-context.ts'
import { type PlanBundle, planned } from '../src/records/plan-entry.ts'
import type { Measured, Scenario } from './scenario.ts'

const folder = '../shared/data/synthea'

/** Of each kind, in turns (DESIGN §10). */
const rounds = 11

export const validation: Scenario = { name: 'validation', run }

async function run(): Promise<Measured> {
  if (!existsSync(folder)) return { figures: [], skipped: [{ name: 'Synthea', why: `no folder ${folder}` }] }
  await generateDefinitions()
  const definitions = definitionsOfR4()
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'))
  const bare: PlanContext = {
    facility: 'bench',
    identitySystems: [],
    idKey: new Uint8Array(32),
    rules: sharingRules,
    personSystems: personIdentifierSystems,
    baseUrl: 'http://127.0.0.1/fhir/',
    validate: () => [],
  }
  const validating: PlanContext = {
    ...bare,
    validate: (resource, options) => validateResource(resource, definitions, options),
  }
  // Once each, so that both are compiled.
  const resources = planAll(texts, validating)
  planAll(texts, bare)
  const seconds = { bare: [] as number[], validating: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    seconds.bare.push(secondsOf(() => planAll(texts, bare)))
    seconds.validating.push(secondsOf(() => planAll(texts, validating)))
    process.stderr.write(`${resources} resources planned both ways, ${round + 1} of ${rounds}\n`)
  }
  const parsed = texts.map(bundleOf)
  const validated = Array.from({ length: rounds }, () =>
    secondsOf(() => {
      for (const { entries } of parsed)
        for (const entry of entries)
          if (entry.ok && 'resource' in entry.value)
            validateResource(entry.value.resource, definitions, { at: '', maxIssues: 1, typeOf })
    }),
  )
  const ratios = seconds.validating.map((time, i) => (seconds.bare[i] ?? Number.NaN) / time)
  const figure = (name: string, value: number, unit: string) => ({ name, value, unit, goal: null })
  return {
    figures: [
      figure('parsed and planned', resources / median(seconds.bare), 'resources/CPU s'),
      figure('parsed, validated and planned', resources / median(seconds.validating), 'resources/CPU s'),
      figure('throughput kept', median(ratios) * 100, '%'),
      figure('throughput kept, least', Math.min(...ratios) * 100, '%'),
      figure('throughput kept, most', Math.max(...ratios) * 100, '%'),
      {
        name: 'validating one resource',
        value: (median(validated) / resources) * 1e6,
        unit: 'CPU µs',
        goal: { kind: 'at most', value: 100 },
      },
    ],
    skipped: [],
  }
}

/** @returns how many resources there were; all of them are good */
function planAll(texts: readonly string[], context: PlanContext): number {
  let resources = 0
  for (const text of texts) {
    const plan = planPublication(bundleOf(text), context)
    if (!plan.ok) throw new Error(`refused: ${JSON.stringify(plan.error).slice(0, 500)}`)
    resources += plan.value.outcomes.length
  }
  return resources
}

function bundleOf(text: string): PlanBundle {
  const parsed = parseJson(text)
  const bundle = parsed.ok ? readBundle(parsed.value) : parsed
  if (!bundle.ok) throw new Error(`no bundle: ${JSON.stringify(bundle.error).slice(0, 500)}`)
  const direct = planned(bundle.value)
  if (!direct) throw new Error('a bundle with conditions')
  return direct
}

const typeOf = (): null => null

/** Of this process's core: others on the machine only make it slower, not more. */
function secondsOf(work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
