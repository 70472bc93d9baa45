/**
 * Whatever facilities write, in whatever order and however interrupted: no version that was ever stored is lost or altered,
 * and the versions of a document are numbered without a gap.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { createResource } from '../../src/records/create.ts'
import { deleteMatching, deleteResource } from '../../src/records/delete.ts'
import { patchResource } from '../../src/records/patch.ts'
import { settlePending } from '../../src/records/settle.ts'
import { updateMatching, updateResource } from '../../src/records/update.ts'
import { openPublisher, type Publisher, type SendOptions } from '../unit/records/publish-support.ts'

const system = 'urn:accession'

interface Written {
  readonly type: string
  readonly key: string
  readonly content: string
  /** One of them is not shared: the document moves when it changes. */
  readonly label: 'N' | 'R'
  readonly identifier: string
}

const written: fc.Arbitrary<Written> = fc.record({
  type: fc.constantFrom('Observation', 'Flag'),
  key: fc.constantFrom('x', 'y'),
  content: fc.constantFrom('a', 'b', 'c'),
  label: fc.constantFrom('N', 'R'),
  identifier: fc.constantFrom('1', '2'),
})

const resource = ({ type, content, label, identifier }: Written) => ({
  resourceType: type,
  meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: label }] },
  identifier: [{ system, value: identifier }],
  status: content === 'c' ? 'entered-in-error' : type === 'Flag' ? 'active' : 'final',
  code: { text: content },
  subject: { reference: 'Patient/p' },
})

const kinds = [
  'create',
  'create-if-none',
  'put',
  'put-match',
  'put-where',
  'delete',
  'delete-where',
  'patch',
  'bundle',
] as const

const step = fc.record({
  kind: fc.constantFrom(...kinds),
  written,
  other: written,
  ifMatch: fc.constantFrom('*', 'W/"1"', 'W/"2"', 'W/"3"'),
  facility: fc.constantFrom('hopital', 'hopital', 'hopital', 'clinique'),
  fault: fc.constantFrom(
    null,
    null,
    null,
    null,
    'records-before',
    'records-after',
    'local-before',
    'local-after',
  ),
  /** The next one runs beside it, where both name a version. */
  isConcurrent: fc.boolean(),
  isSettled: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A write that nothing stands against. */
const plain = (kind: Step['kind'], content: string): Step => ({
  kind,
  written: { type: 'Observation', key: 'x', content, label: 'N', identifier: '1' },
  other: { type: 'Flag', key: 'y', content, label: 'N', identifier: '2' },
  ifMatch: '*',
  facility: 'hopital',
  fault: null,
  isConcurrent: false,
  isSettled: false,
})

/** What writes only while the version that it knows is the current one; for the others see `docs/decisions/008`. */
const namesVersion = ({ kind }: Step): boolean =>
  ['put-match', 'delete', 'delete-where', 'patch'].includes(kind)

function run(publisher: Publisher, { kind, written, other, ifMatch, facility }: Step): Promise<unknown> {
  const { type, key, identifier, content } = written
  const body = resource(written)
  const options: SendOptions = { facility, body }
  const instance = `/fhir/${type}/${key}`
  const where = `/fhir/${type}?identifier=${system}|${identifier}`
  switch (kind) {
    case 'create':
      return publisher.send(createResource, `/fhir/${type}`, options)
    case 'create-if-none':
      return publisher.send(createResource, `/fhir/${type}`, {
        ...options,
        ifNoneExist: `identifier=${system}|${identifier}`,
      })
    case 'put':
      return publisher.send(updateResource, instance, options)
    case 'put-match':
      return publisher.send(updateResource, instance, { ...options, ifMatch })
    case 'put-where':
      return publisher.send(updateMatching, where, options)
    case 'delete':
      return publisher.send(deleteResource, instance, { facility })
    case 'delete-where':
      return publisher.send(deleteMatching, where, { facility })
    case 'patch':
      return publisher.send(patchResource, instance, {
        facility,
        body: [{ op: 'add', path: '/language', value: content }],
      })
    case 'bundle':
      return publisher.publish(
        {
          resourceType: 'Bundle',
          type: content === 'a' ? 'batch' : 'transaction',
          entry: [
            { resource: body, request: { method: 'PUT', url: `${type}/${key}` } },
            { request: { method: 'DELETE', url: `${other.type}/${other.key}` } },
            {
              resource: resource(other),
              request: {
                method: 'POST',
                url: other.type,
                ifNoneExist: `identifier=${system}|${other.identifier}`,
              },
            },
          ],
        },
        { facility },
      )
  }
}

/** Content of every version in either database, by `Type/id/version`. */
function stored({ records, local }: Publisher): ReadonlyMap<string, string> {
  const all = new Map<string, string>()
  for (const { rows } of [records, local])
    for (const { type, id, version, body, deleted, clock: _clock } of [
      ...rows('select type, id, version, body, 0 as deleted, clock from document'),
      ...rows('select type, id, version, body, deleted, clock from document_version'),
    ]) {
      const name = `${type}/${id}/${version}`
      const content = deleted ? 'deleted' : String(body)
      // In both where it moved unchanged.
      expect([name, all.get(name) ?? content]).toEqual([name, content])
      all.set(name, content)
    }
  return all
}

function expectNumbered(versions: ReadonlyMap<string, string>): void {
  const numbers = Map.groupBy(versions.keys(), (name) => name.slice(0, name.lastIndexOf('/')))
  for (const [name, all] of numbers) {
    const found = all.map((one) => Number(one.slice(one.lastIndexOf('/') + 1))).sort((a, b) => a - b)
    expect([name, found]).toEqual([name, found.map((_, i) => i + 1)])
  }
}

test('every version ever stored stays as it was', async () => {
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), async (steps) => {
      const publisher = openPublisher(['other'])
      publisher.records.db.exec(`insert into sharing_rule (position, domain, type, category, code, confidentiality, shared,
        valid_from) values (-1, '*', '*', '*', '*', 'R', 0, 0), (-2, '*', 'Flag', '*', '*', 'N', 1, 0)`)
      let before: ReadonlyMap<string, string> = new Map()
      let beside: Promise<unknown> = Promise.resolve()
      const settle = async () => {
        publisher.records.failNext = null
        publisher.local.failNext = null
        await settlePending(publisher.records, publisher.local, Date.now() + limits.settleAfterMs + 60_000)
      }
      for (const [i, one] of steps.entries()) {
        const { fault } = one
        if (fault !== null)
          (fault.startsWith('records') ? publisher.records : publisher.local).failNext = fault.endsWith(
            'before',
          )
            ? 'before-commit'
            : 'after-commit'
        const done = run(publisher, one).then(
          (result) => {
            const { ok } = result as { ok: boolean }
            seen.set(`${one.kind} ${ok}`, (seen.get(`${one.kind} ${ok}`) ?? 0) + 1)
          },
          (error: Error) => expect(error.message).toMatch(/injected|settled/),
        )
        beside = Promise.all([beside, done])
        const next = steps[i + 1]
        if (one.isConcurrent && namesVersion(one) && next && namesVersion(next)) continue
        await beside
        if (one.isSettled) await settle()
        const now = stored(publisher)
        for (const [name, content] of before) expect([name, now.get(name)]).toEqual([name, content])
        before = now
      }
      await beside
      await settle()
      const last = stored(publisher)
      for (const [name, content] of before) expect([name, last.get(name)]).toEqual([name, content])
      expectNumbered(last)
      for (const { rows } of [publisher.records, publisher.local])
        expect(
          rows(`select l.type, l.id from lookup as l where not exists (
            select 1 from document as d where d.type = l.type and d.id = l.id)`),
        ).toEqual([])
      // A document is current in one of them at most.
      const current = [publisher.records, publisher.local].flatMap(({ rows }) =>
        rows('select type, id from document'),
      )
      expect(new Set(current.map(({ type, id }) => `${type}/${id}`)).size).toBe(current.length)
      expect(publisher.local.rows('select * from pending')).toEqual([])
    }),
    // One of a version that is known is rare enough among the others to be made sure of.
    { numRuns: 200, examples: [[[plain('put', 'a'), plain('put-match', 'b')]]] },
  )
  // Both ends of every kind of write were tried.
  expect([...seen.keys()].sort()).toEqual(expect.arrayContaining(kinds.map((kind) => `${kind} true`)))
})
