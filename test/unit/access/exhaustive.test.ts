/**
 * The policy and the oracle give the same outcome, reason and basis for every case of the products in `cases.ts`. What each
 * axis is and how many cases there are is computed, and `docs/access-proof.md` must say the same.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CallerKind } from '../../../src/access/caller.ts'
import { decideOperation, decideRow, decideSubject } from '../../../src/access/policy.ts'
import { parseScopes, type ScopeNeed } from '../../../src/access/scope.ts'
import { type Axes, axes, type Case, caseAt, otherCallers, products, provider, sizeOf } from './cases.ts'
import { judgeOperation, judgeRow, judgeSubject } from './oracle.ts'

interface Answer {
  readonly outcome: string
  readonly reason?: string
  readonly basis?: string | null
}

/** Counts the oracle's answers; throws at the first case on which the policy gives another. */
function compare(size: number, answersTo: (index: number) => readonly [Answer, Answer, Case | null]) {
  const seen = new Set<string>()
  for (let index = 0; index < size; index++) {
    const [decided, judged, of] = answersTo(index)
    const isSame =
      decided.outcome === judged.outcome && decided.reason === judged.reason && decided.basis === judged.basis
    if (!isSame) expect({ index, of, decision: decided }).toEqual({ index, of, decision: judged })
    seen.add(judged.reason ? `${judged.outcome} ${judged.reason}` : judged.outcome)
  }
  return [...seen].sort()
}

const decideCase = (of: Case): [Answer, Answer, Case] => [
  decideRow(of.caller, of.situation, of.row),
  judgeRow(of.caller, of.situation, of.row),
  of,
]

const doc = readFileSync(`${import.meta.dirname}/../../../docs/access-proof.md`, 'utf8').replaceAll(
  / +/g,
  ' ',
)

const axesOf = (product: Axes): string =>
  Object.entries(product)
    .filter(([, values]) => values.length > 1)
    .map(([name, values]) => `${name} ${values.length}`)
    .join(' × ')

let total = 0
/** A test whose title states the axes and the number of cases, which the page of the proof must state too. */
function enumerate(name: string, shape: string, size: number, run: () => void): void {
  total += size
  const count = size.toLocaleString('en')
  test(`${name}: ${shape} = ${count} cases`, { timeout: 120_000 }, () => {
    expect(doc).toContain(`| ${name} | ${shape} | ${count} |`)
    run()
  })
}

const denials = [
  'deny confidentiality',
  'deny domain-not-permitted',
  'deny not-own-facility',
  'deny refused',
  'deny refused-before',
  'deny relationship-required',
  'deny restricted',
  'deny scope-insufficient',
]
const permits = ['permit break-glass', 'permit own-facility', 'permit shared-domain']
const all = [...denials, ...permits]
const without = (...left: readonly string[]): readonly string[] =>
  all.filter((reason) => !left.includes(reason))

// Each product reaches these answers, or its axes have lost their meaning.
const rows: readonly (readonly [string, Axes, readonly string[]])[] = [
  ['gates', products.gates, all],
  [
    'wishes',
    products.wishes,
    without(
      'deny confidentiality',
      'deny domain-not-permitted',
      'deny not-own-facility',
      'deny scope-insufficient',
    ),
  ],
  ['placement', products.placement, without('deny confidentiality')],
  [
    'labels',
    products.labels,
    without('deny domain-not-permitted', 'deny refused', 'deny refused-before', 'deny restricted'),
  ],
  [
    'scopes',
    products.scopes,
    ['deny relationship-required', 'deny scope-insufficient', 'permit break-glass', 'permit shared-domain'],
  ],
]

for (const [name, product, reached] of rows)
  enumerate(name, axesOf(product), sizeOf(product), () => {
    expect(compare(sizeOf(product), (index) => decideCase(caseAt(product, index)))).toEqual(reached)
  })

const sampled = 400_000
enumerate('sample', `of the ${sizeOf(axes).toLocaleString('en')} of all axes`, sampled, () => {
  const step = coprimeTo(sizeOf(axes))
  let at = 0
  const answers = compare(sampled, () => {
    at = (at + step) % sizeOf(axes)
    return decideCase(caseAt(axes, at))
  })
  expect(answers).toEqual(all)
})

/** A step that walks through all of `size` before it comes back, far from any simple fraction of it. */
function coprimeTo(size: number): number {
  const isCoprime = (a: number, b: number): boolean => (b === 0 ? a === 1 : isCoprime(b, a % b))
  let step = Math.floor(size * ((Math.sqrt(5) - 1) / 2))
  while (!isCoprime(size, step)) step++
  return step
}

const others = products.otherCallers
enumerate(
  'other callers',
  `caller ${otherCallers.length} × ${axesOf(others)}`,
  otherCallers.length * sizeOf(others),
  () => {
    for (const caller of otherCallers)
      expect(compare(sizeOf(others), (index) => decideCase(caseAt(others, index, caller)))).toEqual(
        caller.kind === 'facility-system'
          ? ['deny not-own-facility', 'deny scope-insufficient', 'permit own-facility']
          : ['deny operation-not-for-caller'],
      )
  },
)

const subjects = products.subjects
enumerate('subjects', `known 2 × ${axesOf(subjects)}`, 2 * sizeOf(subjects), () => {
  const answers = compare(2 * sizeOf(subjects), (index) => {
    const of = caseAt(subjects, index >> 1)
    const subject = index % 2 === 0 ? (of.situation.subjects[0] ?? null) : null
    if (of.caller.kind !== 'provider') throw new Error('the product describes providers')
    const { settings } = of.situation
    return [decideSubject(of.caller, subject, settings), judgeSubject(of.caller, subject, settings), of]
  })
  expect(answers).toEqual(['deny refused', 'deny relationship-required', 'permit'])
})

const callers = [provider, ...otherCallers]
const kinds: readonly CallerKind[] = [...new Set(callers.map(({ kind }) => kind))]
const kindSets = Array.from({ length: 2 ** kinds.length }, (_, bits) =>
  kinds.filter((_kind, i) => bits & (1 << i)),
)
const scopeTexts = [
  '',
  'openid',
  'user/nonsense',
  ...['user', 'patient', 'system'].flatMap((context) =>
    ['*.cruds', 'Observation.r', 'Observation.cuds', 'Patient.cruds'].map((rest) => `${context}/${rest}`),
  ),
  'user/Observation.r?category=laboratory',
  'user/Observation.r?code=http://loinc.org|718-7&status=final',
  'user/Observation.r?status=http://hl7.org/fhir/observation-status|final',
  'user/Observation.r?date=2026',
  'user/*.r?category=laboratory',
  'user/Patient.cruds system/*.cruds',
]
const needs: readonly (ScopeNeed | null)[] = [
  null,
  { type: 'Observation', interaction: 'r' },
  { type: 'Observation', interaction: 's' },
  { type: 'Patient', interaction: 'u' },
  { type: '*', interaction: 'r' },
]
enumerate(
  'operations',
  `caller ${callers.length} × kinds ${kindSets.length} × scopes ${scopeTexts.length} × need ${needs.length}`,
  callers.length * kindSets.length * scopeTexts.length * needs.length,
  () => {
    const seen = new Set<string | null>()
    for (const text of scopeTexts) {
      const scopes = parseScopes(text.split(' '))
      for (const caller of callers)
        for (const set of kindSets)
          for (const need of needs) {
            const decided = decideOperation(caller, set, scopes, need)
            const judged = judgeOperation(caller, set, scopes, need)
            if ((decided.ok ? null : decided.error.cause) !== judged)
              expect({ caller, set, text, need, decided }).toEqual({
                caller,
                set,
                text,
                need,
                decided: judged,
              })
            seen.add(judged)
          }
    }
    expect(seen).toEqual(new Set([null, 'operation-not-for-caller', 'scope-insufficient']))
  },
)

test(`the page of the proof states them all: ${total.toLocaleString('en')} cases`, () => {
  expect(doc).toContain(`${total.toLocaleString('en')} cases`)
})
