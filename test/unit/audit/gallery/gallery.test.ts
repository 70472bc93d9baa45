/** Both verifiers refuse every case with the code and the place it must have, or accept what says the same. */
import { afterAll, describe, expect, test } from 'vitest'
import { groups } from './cases.ts'
import { mlDsaCases } from './cases-signed.ts'
import type { Case, Expected } from './changes.ts'
import { kinds } from './samples.ts'
import {
  askTypeScript,
  hasMlDsa44,
  hasPython,
  PythonVerifier,
  type Subject,
  type Verdict,
} from './verifiers.ts'

type Ask = (subject: Subject) => Promise<Verdict>

/** Nobody is asked twice about the same file. */
function remembering(ask: Ask): Ask {
  const verdicts = new Map<Subject, Promise<Verdict>>()
  return (subject) => {
    const verdict = verdicts.get(subject) ?? ask(subject)
    verdicts.set(subject, verdict)
    return verdict
  }
}

const verifiers: readonly (readonly [string, boolean, Ask])[] = [
  ['TypeScript', true, remembering(askTypeScript)],
  ['Python', hasPython, remembering((subject) => python().ask(subject))],
]

let started: PythonVerifier | undefined
const python = (): PythonVerifier => (started ??= new PythonVerifier())
afterAll(() => started?.close())

const expectedOf = (expected: Expected): object => {
  if (expected === 'verified') return { ok: true }
  const [code, place, source = 'file'] = expected
  return { ok: false, code, place, source }
}

describe.each(verifiers)('the verifier in %s', (language, isThere, ask) => {
  test.skipIf(!isThere).each(Object.entries(kinds))('accepts the untampered %s', async (_, subject) => {
    expect(await ask(subject)).toEqual({ ok: true })
  })

  const check = async ({ subject, expected }: Case): Promise<void> => {
    const verdict = await ask(subject)
    expect(verdict).toMatchObject(expectedOf(expected))
    if (!verdict.ok) expect(verdict.sentence).toMatch(/^\S.{9,}/)
  }

  describe.each(groups)('%s', (_, cases) => {
    test.skipIf(!isThere).each(cases.map((one) => [one.kind, one.name, one] as const))(
      '%s: %s',
      async (...[, , one]) => {
        await check(one)
      },
    )
  })

  test.skipIf(!isThere)('says different things of different faults', async () => {
    const codes = new Map<string, Set<string>>()
    for (const { subject } of groups.flatMap(([, cases]) => cases)) {
      const verdict = await ask(subject)
      if (verdict.ok) continue
      // Without what is of this case alone: numbers, names, hashes.
      const words = verdict.sentence.replaceAll(/"[^"]*"|\S*[0-9/]\S*/g, '…')
      codes.set(words, (codes.get(words) ?? new Set()).add(verdict.code))
    }
    expect([...codes].filter(([, of]) => of.size > 1)).toEqual([])
    expect(codes.size).toBeGreaterThan(60)
  })

  test
    .skipIf(!isThere || (language === 'Python' && !hasMlDsa44))
    .each(mlDsaCases.map((one) => [one.name, one] as const))('with ML-DSA-44: %s', async (_, one) => {
    await check(one)
  })
})
