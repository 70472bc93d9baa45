/** Tables in the documentation that are data elsewhere: they cannot go stale. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { forbiddenTexts } from '../../src/disclosure/wire.ts'
import { roleDomains } from '../../src/local/sample/policy.ts'

const access = readFileSync('docs/access.md', 'utf8')

/** One line per role, type of facility and purposes, in the order of the data. */
function matrix(): readonly string[] {
  const lines = new Map<string, { purposes: Set<string>; domains: Set<string> }>()
  for (const { role, facilityType, purpose, domain } of roleDomains) {
    const key = `${role} | ${facilityType === '*' ? 'any' : facilityType}`
    const line = lines.get(key) ?? { purposes: new Set(), domains: new Set() }
    line.purposes.add(purpose)
    line.domains.add(domain)
    lines.set(key, line)
  }
  return Array.from(
    lines,
    ([key, { purposes, domains }]) => `${key} | ${[...purposes].join(', ')} | ${[...domains].join(', ')}`,
  )
}

const squeezed = (line: string): string => line.replaceAll(/\s+/g, ' ').replaceAll(/^\| | \|$/g, '')

it('the default matrix in docs/access.md is the one that is loaded', () => {
  const [, after = ''] = access.split(/\| role +\| type of facility/)
  const rows = after.split('\n').slice(2)
  const end = rows.findIndex((row) => !row.startsWith('|'))
  expect(rows.slice(0, end).map(squeezed)).toEqual(matrix())
})

it('every code of a refusal that a client can act on is named there', () => {
  for (const code of Object.keys(forbiddenTexts)) expect(access).toContain(`\`${code}\``)
})
