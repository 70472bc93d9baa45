import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { callerKinds } from '../../../src/access/caller.ts'
import { isDenial, sentenceOf, stepOf } from '../../../src/governance/explain-words.ts'

const source = (path: string): string => readFileSync(`${import.meta.dirname}/../../../src/${path}`, 'utf8')

/** Members of a union of string literals, as the source lists them after these words. */
function members(path: string, ...words: readonly string[]): readonly string[] {
  const text = source(path)
  const start = words.reduce((at, word) => text.indexOf(word, at) + word.length, 0)
  const bare = text.slice(start).replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
  const [union = ''] = /^(?:\s*\|?\s*'[a-z-]+')+/.exec(bare) ?? []
  return [...union.matchAll(/'([a-z-]+)'/g)].map(([, name = '']) => name)
}

const causes = members('access/refusal.ts', 'export type PolicyRefusal', 'readonly cause:')
const permits = members('access/policy.ts', 'export type PermitReason =')

/** Reasons that operations give for what they disclose, in so many words. */
const disclosing = ['governance', 'records', 'trail', 'disclosure'].flatMap((folder) =>
  readdirSync(`${import.meta.dirname}/../../../src/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      [...source(`${folder}/${file}`).matchAll(/outcome: 'permit', reason: '([a-z-]+)'/g)].map(
        ([, name = '']) => name,
      ),
    ),
)

const other = { fr: sentenceOf('invalid', 'fr'), en: sentenceOf('invalid', 'en') }

describe('the words of a decision', () => {
  test('are looked for among all causes there are', () => {
    expect(causes).toContain('client-unknown')
    expect(causes).toContain('break-glass-not-permitted')
    expect(causes.length).toBeGreaterThanOrEqual(22)
    expect(permits).toEqual(['shared-domain', 'own-facility', 'break-glass'])
    expect(disclosing).toContain('intent')
  })

  test.each(causes)('exist for a denial: %s', (cause) => {
    expect(isDenial(cause)).toBe(true)
    expect(sentenceOf(cause, 'fr')).toMatch(/^Refusé : .+\.$/)
    expect(sentenceOf(cause, 'en')).toMatch(/^Denied: .+\.$/)
    expect(stepOf(cause)).not.toBe('input')
  })

  test.each([
    ...new Set([
      ...permits,
      ...callerKinds,
      ...disclosing,
      'nothing-found',
      'identity-look-up',
      'attestation',
    ]),
  ])('exist for a permit: %s', (reason) => {
    expect(isDenial(reason)).toBe(false)
    expect(sentenceOf(reason, 'fr')).toMatch(/^Permis .*:? .+\.$/)
    expect(sentenceOf(reason, 'en')).toMatch(/^Permitted.* .+\.$/)
  })

  test('are no two the same', () => {
    for (const language of ['fr', 'en'] as const) {
      const all = [...causes, ...permits, ...callerKinds].map((reason) => sentenceOf(reason, language))
      expect(new Set(all).size).toBe(all.length)
    }
  })

  test('of what was wrong with the input, or is no reason at all, leave it to the recorded reason', () => {
    for (const reason of ['invalid', 'conflict', 'internal', 'constructor', '__proto__', '']) {
      expect([reason, sentenceOf(reason, 'fr'), sentenceOf(reason, 'en')]).toEqual([
        reason,
        other.fr,
        other.en,
      ])
      expect(stepOf(reason)).toBe('input')
      expect(isDenial(reason)).toBe(false)
    }
    expect(sentenceOf('not-found', 'en')).toMatch(/^Not found: /)
  })

  test('tell the steps in which the statute asks', () => {
    expect(
      [
        'role-not-held',
        'not-own-facility',
        'relationship-required',
        'refused',
        'restricted',
        'confidentiality',
      ].map(stepOf),
    ).toEqual(['authorisation', 'sharing', 'relationship', 'refusal', 'restriction', 'confidentiality'])
  })
})
