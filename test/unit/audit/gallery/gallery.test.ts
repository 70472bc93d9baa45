/** Both verifiers refuse every case with the code and the place it must have, or accept what says the same. */
import { afterAll, describe, expect, test } from 'vitest'
import { groups, mlDsaCases } from './cases.ts'
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

const verifiers: readonly (readonly [string, boolean, (subject: Subject) => Promise<Verdict>])[] = [
  ['TypeScript', true, askTypeScript],
  ['Python', hasPython, (subject) => python().ask(subject)],
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

  test
    .skipIf(!isThere || (language === 'Python' && !hasMlDsa44))
    .each(mlDsaCases.map((one) => [one.name, one] as const))('with ML-DSA-44: %s', async (_, one) => {
    await check(one)
  })
})
