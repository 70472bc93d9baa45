/**
 * Each AuditEvent is valid FHIR R4: the definitions are those of HL7 (4.0.1, CC0; AuditEvent and the types it is made of,
 * without their words), read by a validator that is not ours. What it does not look at is looked at here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core'
import { describe, expect, test } from 'vitest'
import { eventId } from '../../../src/trail/audit-event-elements.ts'
import { toldEvents } from './told-events.ts'

const definitions = readFileSync(join(import.meta.dirname, 'r4-audit-event.ndjson'), 'utf8')
indexStructureDefinitionBundle(
  definitions
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line)),
)

type Resource = Parameters<typeof validateResource>[0]
const validate = (event: object) => validateResource(event as Resource)

describe('an AuditEvent', () => {
  test('of any access is valid', () => {
    expect(toldEvents.length).toBeGreaterThan(1000)
    for (const event of toldEvents)
      expect(validate(event).filter(({ severity }) => severity !== 'information')).toEqual([])
  })

  test.each<[string, object]>([
    ['without an agent', { agent: undefined }],
    ['with a member of no kind', { seen: true }],
    ['with a time of another form', { recorded: 'yesterday' }],
    ['with an entity that has a name and a query', { entity: [{ name: 'x', query: 'eA==' }] }],
  ])('%s is not: the validator sees it', (_, change) => {
    expect(() => validate({ ...toldEvents[0], ...change })).toThrow()
  })

  test('has codes of the required value sets', () => {
    for (const { action, outcome, agent } of toldEvents) {
      expect(['C', 'R', 'U', 'D', 'E']).toContain(action)
      expect([undefined, '0', '4', '8', '12']).toContain(outcome)
      for (const { network } of agent) expect([undefined, '1', '2', '5']).toContain(network?.type)
    }
  })

  test('has no blank text, and an id of its own of FHIR’s form', () => {
    const ids = new Set<string>()
    for (const event of toldEvents) {
      expect(event.id).toMatch(/^[A-Za-z0-9.-]{1,64}$/)
      ids.add(event.id)
      JSON.stringify(event, (_, value: unknown) => {
        if (typeof value === 'string') expect(value).toMatch(/\S/)
        if (Array.isArray(value)) expect(value.length).toBeGreaterThan(0)
        return value
      })
    }
    expect(ids.size).toBe(toldEvents.length)
  })

  test('of a log with the longest name has an id that fits, and says which log it was', () => {
    const [one, other] = [`${'a'.repeat(62)}1`, `${'a'.repeat(62)}2`].map((name) =>
      eventId(name, '18446744073709551615'),
    )
    expect(`${one}-authz`).toMatch(/^[A-Za-z0-9.-]{1,64}$/)
    expect(one).not.toBe(other)
  })
})
