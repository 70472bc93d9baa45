/** What a wrong parameter of an address is answered with. */
import { describe, expect, test } from 'vitest'
import { operations } from '../../../src/app.ts'
import { parameterIssues } from '../../../src/disclosure/input-issues.ts'

const issuesOf = (name: string, query: Readonly<Record<string, string>>) => {
  const operation = operations.find((one) => one.name === name)
  if (!operation) throw new Error(`no operation ${name}`)
  const parsed = operation.query.safeParse(query)
  return parsed.success ? [] : parameterIssues(operation.query, parsed.error.issues)
}

describe('a wrong parameter', () => {
  test.each([
    ['list-clients', 'aftr', 'after'],
    ['list-role-requests', 'facilty', 'facility'],
    ['audit-export', 'patinet', 'patient'],
    ['yearly-report', 'yaer', 'year'],
  ])('of %s, %s, is named with the one that may be meant', (operation, given, meant) => {
    const [issue] = issuesOf(operation, { [given]: '1' }).filter(({ code }) => code === 'not-supported')
    expect(issue).toEqual({
      code: 'not-supported',
      expression: given,
      text: {
        fr: `Paramètre inconnu : « ${given} ». Vouliez-vous dire « ${meant} » ?`,
        en: `Unknown parameter: "${given}". Did you mean "${meant}"?`,
      },
    })
  })

  test('that is nothing like a name is not repeated', () => {
    const [issue] = issuesOf('list-clients', { '<script>alert(1)</script>': '1' })
    expect(issue?.text).toEqual({ fr: 'Paramètre inconnu.', en: 'Unknown parameter.' })
  })

  test('whose value is wrong is named, in both languages', () => {
    const [issue] = issuesOf('list-clients', { after: 'x' })
    expect(issue).toEqual({
      code: 'value',
      expression: 'after',
      text: { fr: 'after n’a pas la forme requise.', en: 'after does not have the required form.' },
    })
  })
})
