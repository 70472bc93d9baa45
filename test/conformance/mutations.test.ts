/**
 * Validation, tried by spoiling real resources: every operator at every place of every HL7 example and of some Synthea
 * resources. Each mutant is refused, by an issue at the spoiled element.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isObject, parseJson } from '../../src/fhir/json.ts'
import type { Issue } from '../../src/fhir/outcome.ts'
import { validateResource } from '../../src/fhir/validate.ts'
import { definitionsOfR4 } from '../../src/local/definitions/of-r4.ts'
import { jsonFiles } from '../real-resources.ts'
import { openPublisher, refusal } from '../unit/records/publish-support.ts'
import { mutantsOf, operators } from './mutation-operators.ts'

const examples = '../shared/data/hl7-r4-examples'
const synthea = '../shared/data/synthea'

interface Named {
  readonly name: string
  readonly resource: { [name: string]: unknown }
}

function read(file: string): Named['resource'] {
  const parsed = parseJson(readFileSync(file, 'utf8'))
  if (!parsed.ok || !isObject(parsed.value)) throw new Error(`no JSON object: ${file}`)
  return parsed.value
}

/** Resources of a bundle by themselves: a large bundle would be validated as often as it has places. */
function unbundled(name: string, resource: Named['resource']): readonly Named[] {
  if (resource.resourceType !== 'Bundle' || !Array.isArray(resource.entry)) return [{ name, resource }]
  const { entry, ...envelope } = resource
  const inside = entry.flatMap((one: unknown, i): readonly Named[] =>
    isObject(one) && isObject(one.resource) ? unbundled(`${name}[${i}]`, one.resource) : [],
  )
  return [{ name, resource: { ...envelope, entry: entry.slice(0, 1) } }, ...inside]
}

/** One of each type, from one patient. */
function someOfSynthea(): readonly Named[] {
  const [file = ''] = jsonFiles(synthea)
  const byType = new Map<unknown, Named>()
  for (const one of unbundled(basename(file), read(file)))
    if (!byType.has(one.resource.resourceType)) byType.set(one.resource.resourceType, one)
  return [...byType.values()].filter(({ resource }) => resource.resourceType !== 'Bundle')
}

const issuesOf = (resource: Named['resource'], at: string): readonly Issue[] =>
  validateResource(resource, definitionsOfR4(), { at, maxIssues: 1_000, typeOf: () => null })

describe.skipIf(!existsSync(examples) || !existsSync(synthea))('a spoiled resource', () => {
  const sources = existsSync(examples)
    ? jsonFiles(examples).flatMap((file) => unbundled(basename(file), read(file)))
    : []
  const all = existsSync(synthea) ? [...sources, ...someOfSynthea()] : sources

  test('was good before', () => {
    expect(all.length).toBeGreaterThan(300)
    expect(all.flatMap(({ name, resource }) => issuesOf(resource, '').map((issue) => [name, issue]))).toEqual(
      [],
    )
  })

  test.each(Object.entries(operators))('%s: is refused, and the element is named', (name, operator) => {
    let mutants = 0
    const passed: string[] = []
    const misnamed: string[] = []
    for (const { name: source, resource } of all)
      for (const { expression, apply, undo } of mutantsOf(resource, operator)) {
        const at = String(resource.resourceType)
        apply()
        const issues = issuesOf(resource, at)
        undo()
        mutants++
        if (issues.length === 0) passed.push(`${source} ${expression}`)
        else if (!issues.some((issue) => isAt(issue.expression ?? '', expression)))
          misnamed.push(`${source} ${expression}: ${issues.map((issue) => issue.expression).join(', ')}`)
      }
    console.log(`${name}: ${mutants} mutants of ${all.length} resources, ${passed.length} accepted`)
    expect(mutants).toBeGreaterThan(100)
    expect({ passed: passed.slice(0, 20), misnamed: misnamed.slice(0, 20) }).toEqual({
      passed: [],
      misnamed: [],
    })
  })

  const [observation] = all.filter(({ name }) => name === 'Observation-example.json')
  test.each(Object.entries(operators))('%s: is not published', async (_, operator) => {
    if (!observation) throw new Error('the example is missing')
    const [mutant] = mutantsOf(observation.resource, operator)
    if (!mutant) throw new Error('the example has no such mutant')
    mutant.apply()
    const text = `{"resourceType":"Bundle","type":"collection","entry":[{"resource":${JSON.stringify(observation.resource)}}]}`
    mutant.undo()
    const answer = refusal(await openPublisher().publish(text))
    if (answer.reason !== 'invalid') throw new Error(answer.reason)
    const at = mutant.expression.replace('Observation', 'Bundle.entry[0].resource')
    expect(answer.issues.some(({ expression = '' }) => isAt(expression, at))).toBe(true)
  })
})

/** At the element or below it. */
const isAt = (expression: string, element: string): boolean =>
  expression === element || expression.startsWith(`${element}.`) || expression.startsWith(`${element}[`)
