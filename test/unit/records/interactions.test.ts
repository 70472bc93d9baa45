/** Creating, updating, deleting and patching one resource, in both databases. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Disclosure } from '../../../src/disclosure/operation.ts'
import type { Refusal } from '../../../src/disclosure/refusal.ts'
import { toWire } from '../../../src/disclosure/wire.ts'
import { limits } from '../../../src/limits.ts'
import { createResource } from '../../../src/records/create.ts'
import { deleteMatching, deleteResource } from '../../../src/records/delete.ts'
import { serverId } from '../../../src/records/identity.ts'
import { patchResource } from '../../../src/records/patch.ts'
import { settlePending } from '../../../src/records/settle.ts'
import { updateMatching, updateResource } from '../../../src/records/update.ts'
import type { Result } from '../../../src/result.ts'
import {
  currentRows,
  idKey,
  openPublisher,
  type Publisher,
  responses,
  type SendOptions,
} from './publish-support.ts'

const system = 'urn:accession'
const identified = (value: string) => ({ identifier: [{ system, value }] })
const about = (key: string) => ({ subject: { reference: `Patient/${key}` } })
const common = { code: { text: 'x' }, ...about('p') }
/** Shared, and `other` by domain: unshared. */
const kinds = [
  [
    'Observation',
    (members: object = {}) => ({ resourceType: 'Observation', status: 'final', ...common, ...members }),
  ],
  ['Flag', (members: object = {}) => ({ resourceType: 'Flag', status: 'active', ...common, ...members })],
] as const
const id = (type: string, key: string, facility = 'hopital'): string => serverId(idKey, facility, type, key)
const note = (text: string) => ({ implicitRules: `urn:${text}` })

let publisher: Publisher
beforeEach(() => {
  publisher = openPublisher()
})

const statusOf = (result: Result<Disclosure, Refusal>): number =>
  result.ok ? result.value.status : toWire(result.error).status
const issuesOf = (result: Result<Disclosure, Refusal>) =>
  result.ok ? [] : toWire(result.error).issues.map(({ code, expression }) => [code, expression])
const bodyOf = (result: Result<Disclosure, Refusal>) => (result.ok ? (result.value.body as string) : '')
const headersOf = (result: Result<Disclosure, Refusal>) => (result.ok ? (result.value.headers ?? {}) : {})
const create = (type: string, body: unknown, options: SendOptions = {}) =>
  publisher.send(createResource, `/fhir/${type}`, { ...options, body })
const put = (type: string, key: string, body: unknown, options: SendOptions = {}) =>
  publisher.send(updateResource, `/fhir/${type}/${key}`, { ...options, body })
const putWhere = (type: string, condition: string, body: unknown, options: SendOptions = {}) =>
  publisher.send(updateMatching, `/fhir/${type}?${condition}`, { ...options, body })
const remove = (type: string, key: string, options: SendOptions = {}) =>
  publisher.send(deleteResource, `/fhir/${type}/${key}`, options)
const removeWhere = (type: string, condition: string, options: SendOptions = {}) =>
  publisher.send(deleteMatching, `/fhir/${type}?${condition}`, options)
const patch = (type: string, key: string, body: unknown, options: SendOptions = {}) =>
  publisher.send(patchResource, `/fhir/${type}/${key}`, { ...options, body })
const versions = (type: string) =>
  [publisher.records, publisher.local]
    .flatMap(({ rows }) => [
      ...rows('select version, 0 as deleted from document where type = ?', type),
      ...rows('select version, deleted from document_version where type = ?', type),
    ])
    .map(({ version, deleted }) => `${version}${deleted ? ' deleted' : ''}`)
    .sort()

describe.each(kinds)('%s', (type, of) => {
  describe('created', () => {
    test('is answered with its place, its version and itself', async () => {
      const result = await create(type, of({ id: '00000000-0000-4000-8000-000000000001' }))
      const own = id(type, '00000000-0000-4000-8000-000000000001')
      expect(statusOf(result)).toBe(201)
      expect(headersOf(result)).toMatchObject({
        Location: `http://127.0.0.1:8787/fhir/${type}/${own}/_history/1`,
        ETag: 'W/"1"',
        'Last-Modified': 'Sun, 22 Nov 2026 00:00:01 GMT',
        'Dossier-Clock': expect.stringMatching(/^[0-9a-f]{8}\.\d+$/),
      })
      expect(currentRows(publisher)).toMatchObject([{ id: own, body: bodyOf(result) }])
      expect(result).toMatchObject({
        value: {
          disclosed: [
            { patient: id('Person', id('Patient', 'p')), resources: [`${type}/${own}/_history/1`] },
          ],
        },
      })
    })

    test('is refused where it is not one of R4, and the element is named', async () => {
      const wrong = await create(type, of({ status: 'finale' }))
      expect([statusOf(wrong), issuesOf(wrong)]).toEqual([400, [['code-invalid', `${type}.status`]]])
      expect(currentRows(publisher)).toEqual([])
    })

    test('again changes nothing and says so', async () => {
      const first = await create(type, of())
      const again = await create(type, of())
      expect([statusOf(first), statusOf(again)]).toEqual([201, 200])
      expect(bodyOf(again)).toBe(bodyOf(first))
      expect(versions(type)).toEqual(['1'])
    })

    test('answers with what is preferred', async () => {
      expect(bodyOf(await create(type, of(note('1')), { prefer: 'return=minimal' }))).toBe('')
      const outcome = await create(type, of(note('2')), { prefer: 'return=OperationOutcome', language: 'en' })
      expect(JSON.parse(bodyOf(outcome))).toMatchObject({
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'information', details: { text: 'It is written.' } }],
      })
    })

    test('is not shown to a token that may not read it', async () => {
      const result = await create(type, of(), { scopes: [`system/${type}.c`] })
      expect([statusOf(result), bodyOf(result)]).toEqual([201, ''])
    })

    test('only if nothing has its identifier: another facility’s counts for nothing', async () => {
      const condition = { ifNoneExist: `identifier=${system}|1` }
      await put(type, 'theirs', of(identified('1')), { facility: 'clinique' })
      const first = await create(type, of({ ...identified('1'), ...note('a') }), condition)
      const second = await create(type, of({ ...identified('1'), ...note('b') }), condition)
      expect([statusOf(first), statusOf(second)]).toEqual([201, 200])
      expect(bodyOf(second)).toBe(bodyOf(first))
      expect(headersOf(second)).toMatchObject({ Location: headersOf(first).Location, ETag: 'W/"1"' })
      expect(versions(type)).toEqual(['1', '1'])
    })

    test('where several have its identifier is 412', async () => {
      await put(type, 'a', of(identified('1')))
      await put(type, 'b', of(identified('1')))
      const result = await create(type, of(identified('1')), { ifNoneExist: `identifier=${system}|1` })
      expect([statusOf(result), issuesOf(result)]).toEqual([412, [['multiple-matches', undefined]]])
      expect(versions(type)).toEqual(['1', '1'])
    })

    test.each([
      ['name=Roy', 'not-supported'],
      ['identifier=1', 'value'],
      ['identifier=urn:a|1,urn:a|2', 'value'],
      ['identifier=urn:a|1&identifier=urn:a|2', 'not-supported'],
      ['', 'required'],
    ])('on the condition "%s" is refused before anything is intended', async (ifNoneExist, code) => {
      const result = await create(type, of(), { ifNoneExist })
      expect([statusOf(result), issuesOf(result)]).toEqual([400, [[code, 'If-None-Exist']]])
      expect(publisher.intents).toEqual([])
    })
  })

  describe('updated', () => {
    test('creates what is not there, by the sender’s own id or by that of the server once it has one', async () => {
      const first = await put(type, 'x', of())
      const second = await put(type, id(type, 'x'), of(note('b')))
      expect([statusOf(first), statusOf(second)]).toEqual([201, 200])
      expect(headersOf(second)).toMatchObject({ ETag: 'W/"2"' })
      expect(versions(type)).toEqual(['1', '2'])
    })

    test('under a server id of nobody, or of another facility, is 404', async () => {
      await put(type, 'x', of(), { facility: 'clinique' })
      const nobody = await put(type, id(type, 'never'), of())
      const theirs = await put(type, id(type, 'x', 'clinique'), of())
      expect([statusOf(nobody), statusOf(theirs)]).toEqual([404, 404])
      expect(issuesOf(nobody)).toEqual(issuesOf(theirs))
    })

    test('only if the version named is the current one', async () => {
      await put(type, 'x', of())
      expect(statusOf(await put(type, 'x', of(note('a')), { ifMatch: 'W/"2"' }))).toBe(412)
      expect(statusOf(await put(type, 'x', of(note('a')), { ifMatch: 'W/"1"' }))).toBe(200)
      expect(statusOf(await put(type, 'x', of(note('b')), { ifMatch: 'W/"1"' }))).toBe(412)
      expect(statusOf(await put(type, 'x', of(note('c')), { ifMatch: '*' }))).toBe(200)
      expect(statusOf(await put(type, 'y', of(), { ifMatch: '*' }))).toBe(412)
      expect(versions(type)).toEqual(['1', '2', '3'])
    })

    test('is 412 alike for what is not there and what is another facility’s', async () => {
      await put(type, 'x', of(), { facility: 'clinique' })
      const asked = { ifMatch: 'W/"1"' }
      const results = [
        await put(type, id(type, 'never'), of(), asked),
        await put(type, id(type, 'x', 'clinique'), of(), asked),
      ]
      expect(results.map(statusOf)).toEqual([412, 412])
      expect(issuesOf(results[0] as never)).toEqual(issuesOf(results[1] as never))
    })

    test('of one version by two at once succeeds once', async () => {
      await put(type, 'x', of())
      const both = await Promise.all(
        ['a', 'b', 'c'].map((text) => put(type, 'x', of(note(text)), { ifMatch: 'W/"1"' })),
      )
      expect(both.map(statusOf).filter((status) => status === 200)).toHaveLength(1)
      expect(both.map(statusOf).every((status) => [200, 409, 412].includes(status))).toBe(true)
      expect(versions(type)).toEqual(['1', '2'])
      const after = await put(type, 'x', of(note('d')), { ifMatch: 'W/"2"' })
      expect(statusOf(after)).toBe(200)
    })

    test('of one version is refused where somebody writes another meanwhile', async () => {
      await put(type, 'x', of())
      const database = type === 'Observation' ? publisher.records : publisher.local
      database.beforeWrite = () =>
        database.db.exec(`update document set version = 2, hash = 'h2' where id = '${id(type, 'x')}'`)
      const result = await put(type, 'x', of(note('mine')), { ifMatch: 'W/"1"' })
      expect([statusOf(result), issuesOf(result)]).toEqual([412, [['conflict', undefined]]])
      expect(JSON.stringify(currentRows(publisher))).not.toContain('mine')
    })

    test('where one meets the condition; created where none does; 412 where several do', async () => {
      const condition = `identifier=${system}|1`
      const first = await putWhere(type, condition, of({ ...identified('1'), ...note('a') }))
      const second = await putWhere(type, condition, of({ ...identified('1'), ...note('b') }))
      expect([statusOf(first), statusOf(second)]).toEqual([201, 200])
      expect(headersOf(second)).toMatchObject({ ETag: 'W/"2"' })
      expect(versions(type)).toEqual(['1', '2'])
      await put(type, 'other', of(identified('1')))
      expect(statusOf(await putWhere(type, condition, of(identified('1'))))).toBe(412)
    })

    test('on a condition, under another id than that of what meets it, is refused', async () => {
      await put(type, 'x', of(identified('1')))
      const wrong = await putWhere(type, `identifier=${system}|1`, of({ id: 'y', ...identified('1') }))
      expect([statusOf(wrong), issuesOf(wrong)]).toEqual([400, [['value', `${type}.id`]]])
      const right = await putWhere(
        type,
        `identifier=${system}|1`,
        of({ id: 'x', ...identified('1'), ...note('b') }),
      )
      expect([statusOf(right), headersOf(right).ETag]).toEqual([200, 'W/"2"'])
    })

    test('on a condition that two meet at once creates one', async () => {
      const condition = `identifier=${system}|1`
      const both = await Promise.all(
        ['a', 'b'].map((text) => putWhere(type, condition, of({ ...identified('1'), ...note(text) }))),
      )
      expect(both.map(statusOf).filter((status) => status === 201)).toHaveLength(1)
      expect(currentRows(publisher)).toHaveLength(1)
    })

    test('of another type, or with another id, names the element', async () => {
      expect(issuesOf(await put(type, 'x', { resourceType: 'Basic' }))).toEqual([
        ['value', `${type}.resourceType`],
      ])
      expect(issuesOf(await put(type, 'x', of({ id: 'y' })))).toEqual([['value', `${type}.id`]])
      expect(issuesOf(await put(type, 'x', of({ text: { status: 'empty', div: null } })))).toEqual([
        ['structure', `${type}.text.div`],
      ])
    })
  })

  describe('deleted', () => {
    test('is gone, its versions stay, and deleting again is the same', async () => {
      await put(type, 'x', of(identified('1')))
      await put(type, 'x', of({ ...identified('1'), ...note('b') }))
      const result = await remove(type, 'x')
      expect([statusOf(result), bodyOf(result), headersOf(result).ETag]).toEqual([204, '', 'W/"3"'])
      expect(currentRows(publisher)).toEqual([])
      expect(versions(type)).toEqual(['1', '2', '3 deleted'])
      const database = type === 'Observation' ? publisher.records : publisher.local
      expect(database.rows('select * from lookup')).toEqual([])
      expect(
        database.rows(
          'select body, hash, facility, source_record, clock from document_version where deleted = 1',
        ),
      ).toMatchObject([{ body: '', hash: '', facility: 'hopital', source_record: id('Patient', 'p') }])
      expect(result).toMatchObject({
        value: {
          disclosed: [
            { patient: id('Person', id('Patient', 'p')), resources: [`${type}/${id(type, 'x')}/_history/3`] },
          ],
        },
      })
      expect(statusOf(await remove(type, id(type, 'x')))).toBe(204)
      expect(versions(type)).toEqual(['1', '2', '3 deleted'])
    })

    test('and published again is the next version, also with the content before, about the same person only', async () => {
      await put(type, 'x', of())
      await remove(type, 'x')
      const other = await put(type, 'x', of(about('q')))
      expect(statusOf(other)).toBe(409)
      const again = await put(type, 'x', of())
      expect([statusOf(again), headersOf(again).ETag]).toEqual([201, 'W/"3"'])
      await remove(type, 'x')
      const byServerId = await put(type, id(type, 'x'), of(note('c')))
      expect([statusOf(byServerId), headersOf(byServerId).ETag]).toEqual([201, 'W/"5"'])
      expect(versions(type)).toEqual(['1', '2 deleted', '3', '4 deleted', '5'])
    })

    test('where it is another facility’s, nothing happens and nothing is told', async () => {
      await put(type, 'x', of(identified('1')), { facility: 'clinique' })
      const theirs = id(type, 'x', 'clinique')
      const answers = [
        await remove(type, theirs),
        await remove(type, id(type, 'never')),
        await removeWhere(type, `identifier=${system}|1`),
      ]
      expect(answers.map((answer) => [statusOf(answer), headersOf(answer).ETag])).toEqual(
        Array(3).fill([204, undefined]),
      )
      expect(currentRows(publisher)).toHaveLength(1)
      expect(statusOf(await remove(type, theirs, { ifMatch: 'W/"1"' }))).toBe(412)
    })

    test('only if the version named is the current one, and only what alone meets a condition', async () => {
      await put(type, 'x', of(identified('1')))
      await put(type, 'y', of(identified('1')))
      expect(statusOf(await remove(type, 'x', { ifMatch: 'W/"2"' }))).toBe(412)
      expect(statusOf(await removeWhere(type, `identifier=${system}|1`))).toBe(412)
      expect(statusOf(await remove(type, 'x', { ifMatch: 'W/"1"' }))).toBe(204)
      expect(statusOf(await removeWhere(type, `identifier=${system}|1`))).toBe(204)
      expect(currentRows(publisher)).toEqual([])
    })

    test('needs a scope that allows to', async () => {
      await put(type, 'x', of())
      expect(statusOf(await remove(type, 'x', { scopes: [`system/${type}.d?status=draft`] }))).toBe(403)
      expect(currentRows(publisher)).toHaveLength(1)
      expect(statusOf(await remove(type, 'x', { scopes: [`system/${type}.d?status=${of().status}`] }))).toBe(
        204,
      )
    })

    test('in the same moment as it is updated: the one or the other, never half', async () => {
      await put(type, 'x', of())
      const [removed, updated] = await Promise.all([
        remove(type, 'x', { ifMatch: 'W/"1"' }),
        put(type, 'x', of(note('b')), { ifMatch: 'W/"1"' }),
      ])
      expect([removed, updated].map(statusOf).filter((status) => status < 300)).toHaveLength(1)
      expect(versions(type)).toEqual(['1', removed.ok ? '2 deleted' : '2'])
    })
  })

  describe('patched', () => {
    test('keeps the text of decimals, its references and its identity', async () => {
      await put(
        type,
        'x',
        `{"resourceType":"${type}","status":"${of().status}",${JSON.stringify(common).slice(1, -1)},
        "extension":[{"url":"urn:x","valueDecimal":1.10}]}`,
      )
      const result = await patch(
        type,
        'x',
        `[
        {"op":"test","path":"/extension/0/valueDecimal","value":1.1},
        {"op":"copy","from":"/extension/0","path":"/extension/-"},
        {"op":"add","path":"/extension/-","value":{"url":"urn:y","valueDecimal":2.500}}]`,
      )
      expect([statusOf(result), headersOf(result).ETag]).toEqual([200, 'W/"2"'])
      expect(bodyOf(result)).toContain(
        '"extension":[{"url":"urn:x","valueDecimal":1.10},{"url":"urn:x","valueDecimal":1.10},{"url":"urn:y","valueDecimal":2.500}]',
      )
      expect(bodyOf(result)).toContain(`"Patient/${id('Patient', 'p')}"`)
      expect(currentRows(publisher)).toMatchObject([{ id: id(type, 'x'), body: bodyOf(result) }])
    })

    test('by a token that may not read it is refused alike, whatever the test would find', async () => {
      await put(type, 'x', of())
      const guesses = [of().status, 'other'].map((value) => [{ op: 'test', path: '/status', value }])
      for (const guess of guesses) {
        const answers = [
          await patch(type, 'x', guess, { scopes: [`system/${type}.u`] }),
          await patch(type, 'x', guess, { scopes: [`system/${type}.ru?status=${'never'}`] }),
        ]
        expect(answers.map(statusOf)).toEqual([403, 403])
      }
      expect(statusOf(await patch(type, 'x', guesses[0], { scopes: [`system/${type}.ru`] }))).toBe(200)
    })

    test('by a test that fails, or to a place that is not there, is a conflict and changes nothing', async () => {
      await put(type, 'x', of())
      const differs = [{ op: 'test', path: '/status', value: 'other' }]
      const missing = [{ op: 'replace', path: '/nothing', value: 1 }]
      const results = [await patch(type, 'x', differs), await patch(type, 'x', missing)]
      expect(results.map((result) => [statusOf(result), issuesOf(result)])).toEqual([
        [409, [['conflict', undefined]]],
        [409, [['not-found', undefined]]],
      ])
      expect(versions(type)).toEqual(['1'])
    })

    test.each([
      ['no list', {}, 400],
      ['no operation', [{ op: 'merge', path: '/status' }], 400],
      ['another id', [{ op: 'replace', path: '/id', value: 'y' }], 400],
      ['another type', [{ op: 'replace', path: '/resourceType', value: 'Basic' }], 400],
      ['no resource', [{ op: 'remove', path: '/resourceType' }], 400],
      ['a null', [{ op: 'add', path: '/language', value: null }], 400],
      [
        'more operations than may be',
        Array(limits.maxPatchOperations + 1).fill({ op: 'test', path: '', value: 1 }),
        422,
      ],
      [
        'copies of copies',
        Array.from({ length: 60 }, () => ({ op: 'copy', from: '/extension', path: '/extension/-' })),
        400,
      ],
    ])('by %s is refused', async (_, body, status) => {
      await put(type, 'x', of({ extension: [{ url: 'urn:x', valueString: 'x' }] }))
      expect(statusOf(await patch(type, 'x', body))).toBe(status)
      expect(versions(type)).toEqual(['1'])
    })

    test('where it is nobody’s, or another facility’s, is the same 404', async () => {
      await put(type, 'x', of(), { facility: 'clinique' })
      const remark = [{ op: 'add', path: '/language', value: 'fr' }]
      const [nobody, theirs] = [
        await patch(type, 'x', remark),
        await patch(type, id(type, 'x', 'clinique'), remark),
      ]
      expect([statusOf(nobody), statusOf(theirs)]).toEqual([404, 404])
      expect(issuesOf(nobody)).toEqual(issuesOf(theirs))
    })

    test('by two at once loses neither: one is told to send again', async () => {
      await put(type, 'x', of())
      const add = (url: string) =>
        patch(type, 'x', [{ op: 'add', path: '/extension', value: [{ url, valueString: url }] }])
      const both = await Promise.all([add('urn:a'), add('urn:b')])
      expect(both.map(statusOf).sort()).toEqual([200, 409])
      expect(
        statusOf(
          await patch(type, 'x', [{ op: 'add', path: '/language', value: 'fr' }], { ifMatch: 'W/"1"' }),
        ),
      ).toBe(412)
      expect(versions(type)).toEqual(['1', '2'])
    })
  })

  test('entered in error is stored as such, and as what it was before', async () => {
    await put(type, 'x', of())
    await put(type, 'x', of({ status: 'entered-in-error' }))
    expect(currentRows(publisher)).toMatchObject([{ status: 'entered-in-error', version: 2 }])
    expect(versions(type)).toEqual(['1', '2'])
  })

  test('that moves is updated and deleted where it is', async () => {
    const rule = (shared: 0 | 1) => {
      publisher.records.db.exec(`delete from sharing_rule where position = -1;
        insert into sharing_rule (position, domain, type, category, code, confidentiality, shared, valid_from)
        values (-1, '*', '${type}', '*', '*', '*', ${shared}, 0)`)
    }
    await put(type, 'x', of(note('a')))
    rule(type === 'Observation' ? 0 : 1)
    expect(statusOf(await put(type, 'x', of(note('b')), { ifMatch: 'W/"2"' }))).toBe(412)
    expect(statusOf(await put(type, 'x', of(note('b')), { ifMatch: 'W/"1"' }))).toBe(200)
    expect(statusOf(await remove(type, 'x', { ifMatch: 'W/"1"' }))).toBe(412)
    expect(statusOf(await remove(type, 'x'))).toBe(204)
    rule(type === 'Observation' ? 1 : 0)
    const again = await put(type, 'x', of(note('b')))
    expect(headersOf(again).ETag).toBe('W/"4"')
    expect(currentRows(publisher)).toHaveLength(1)
    expect(versions(type)).toEqual(['1', '2', '3 deleted', '4'])
  })
})

describe('a Patient', () => {
  test('is never deleted, and the answer does not depend on whether there is one', async () => {
    await put('Patient', 'p', { resourceType: 'Patient' })
    const results = [await remove('Patient', 'p'), await remove('Patient', 'nobody')]
    expect(results.map(statusOf)).toEqual([409, 409])
    expect(issuesOf(results[0] as never)).toEqual(issuesOf(results[1] as never))
    expect(currentRows(publisher)).toHaveLength(1)
  })
})

describe('an Encounter', () => {
  const encounter = (status = 'in-progress') => ({
    resourceType: 'Encounter',
    status,
    class: { code: 'AMB' },
    subject: { reference: 'Patient/p' },
    period: { start: '2026-11-22T00:00:00Z' },
  })
  const open = () => publisher.records.rows('select 1 from relationship where valid_to is null').length

  test.each([
    ['deleted', () => remove('Encounter', 'x')],
    ['entered in error', () => put('Encounter', 'x', encounter('entered-in-error'))],
  ])('that is %s stands for no relationship any more', async (_, end) => {
    await put('Encounter', 'x', encounter())
    await put('Encounter', 'y', encounter())
    expect(open()).toBe(2)
    await end()
    expect(open()).toBe(1)
    await put('Encounter', 'x', encounter())
    expect(open()).toBe(2)
  })

  test('that another facility deletes still does', async () => {
    await put('Encounter', 'x', encounter())
    await remove('Encounter', id('Encounter', 'x'), { facility: 'clinique' })
    expect(open()).toBe(1)
  })
})

describe('a bundle', () => {
  const bundle = (type: string, ...entry: unknown[]) => ({ resourceType: 'Bundle', type, entry })
  const observation = kinds[0][1]
  const flag = kinds[1][1]
  const asked = (method: string, url: string, resource?: unknown, request: object = {}) => ({
    ...(resource ? { resource } : {}),
    request: { method, url, ...request },
  })

  test('deletes, creates on conditions, updates by version and by condition, and answers in the order asked', async () => {
    await put('Observation', 'gone', observation())
    await put('Flag', 'gone', flag())
    await put('Observation', 'known', observation(identified('known')))
    await put('Observation', 'old', observation())
    const result = await publisher.publish(
      bundle(
        'transaction',
        asked('PUT', 'Observation/old', observation(note('b')), { ifMatch: 'W/"1"' }),
        asked('DELETE', 'Observation/gone'),
        asked('POST', 'Observation', observation(identified('new')), {
          ifNoneExist: `identifier=${system}|new`,
        }),
        asked('POST', 'Observation', observation(identified('known')), {
          ifNoneExist: `identifier=${system}|known`,
        }),
        asked('PUT', `Observation?identifier=${system}|other`, observation(identified('other'))),
        asked('DELETE', 'Flag/gone'),
        asked('DELETE', 'Flag/never'),
      ),
    )
    expect(responses(result).map(({ status, etag }) => [status, etag])).toEqual([
      ['200 OK', 'W/"2"'],
      ['204 No Content', 'W/"2"'],
      ['201 Created', 'W/"1"'],
      ['200 OK', 'W/"1"'],
      ['201 Created', 'W/"1"'],
      ['204 No Content', 'W/"2"'],
      ['204 No Content', undefined],
    ])
    expect(currentRows(publisher)).toHaveLength(4)
  })

  test('refers to what was there instead of being created', async () => {
    await put('Practitioner', 'known', { resourceType: 'Practitioner', ...identified('known') })
    const result = await publisher.publish(
      bundle(
        'transaction',
        {
          fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000001',
          ...asked(
            'POST',
            'Practitioner',
            { resourceType: 'Practitioner', ...identified('known') },
            {
              ifNoneExist: `identifier=${system}|known`,
            },
          ),
        },
        asked(
          'PUT',
          'Observation/x',
          observation({
            performer: [{ reference: 'urn:uuid:00000000-0000-4000-8000-000000000001' }],
          }),
        ),
      ),
    )
    expect(responses(result).map(({ status }) => status)).toEqual(['200 OK', '201 Created'])
    const [row] = publisher.records.rows(`select body from document where type = 'Observation'`)
    expect(row?.body).toContain(`"Practitioner/${id('Practitioner', 'known')}"`)
  })

  test('as a transaction is refused whole where one condition fails; as a batch only that entry', async () => {
    await put('Observation', 'x', observation())
    const entries = [
      asked('PUT', 'Observation/y', observation()),
      asked('PUT', 'Observation/x', observation(note('b')), { ifMatch: 'W/"7"' }),
      asked('DELETE', 'Patient/p'),
    ]
    const whole = await publisher.publish(bundle('transaction', ...entries))
    expect(statusOf(whole)).toBe(412)
    expect(versions('Observation')).toEqual(['1'])
    const each = responses(await publisher.publish(bundle('batch', ...entries)))
    expect(each.map(({ status }) => status)).toEqual([
      '201 Created',
      '412 Precondition Failed',
      '409 Conflict',
    ])
    expect(each[1]?.outcome?.issue[0]?.expression).toEqual(['Bundle.entry[1].request.ifMatch'])
  })

  test('that deletes and writes the same resource is a conflict', async () => {
    await put('Observation', 'x', observation())
    const value = bundle(
      'transaction',
      asked('DELETE', 'Observation/x'),
      asked('PUT', 'Observation/x', observation(note('b'))),
    )
    expect(statusOf(await publisher.publish(value))).toBe(409)
    expect(versions('Observation')).toEqual(['1'])
  })

  test('deletes before it creates, in a transaction', async () => {
    await put('Observation', 'x', observation(identified('1')))
    const value = bundle(
      'transaction',
      asked('POST', 'Observation', observation(identified('1')), { ifNoneExist: `identifier=${system}|1` }),
      asked('DELETE', 'Observation/x'),
    )
    expect(responses(await publisher.publish(value)).map(({ status }) => status)).toEqual([
      '201 Created',
      '204 No Content',
    ])
    expect(currentRows(publisher)).toHaveLength(1)
  })

  test('that would create twice what there may be one of is a conflict', async () => {
    const one = (text: string) =>
      asked('POST', 'Observation', observation({ ...identified('1'), ...note(text) }), {
        ifNoneExist: `identifier=${system}|1`,
      })
    expect(statusOf(await publisher.publish(bundle('transaction', one('a'), one('b'))))).toBe(409)
    expect(currentRows(publisher)).toEqual([])
  })

  test('reads nothing: GET is named as not supported', async () => {
    const [entry] = responses(await publisher.publish(bundle('batch', asked('GET', 'Observation/x'))))
    expect(entry?.status).toBe('400 Bad Request')
    expect(entry?.outcome?.issue.map(({ code, expression }) => [code, expression])).toContainEqual([
      'not-supported',
      ['Bundle.entry[0].request.method'],
    ])
  })
})

describe('a deletion of an unshared document, interrupted', () => {
  const flag = kinds[1][1]
  const settle = () =>
    settlePending(publisher.records, publisher.local, Date.now() + limits.settleAfterMs + 1_000)

  test('after the point of decision is carried out by settlement', async () => {
    await put('Flag', 'x', flag())
    publisher.records.failNext = 'after-commit'
    await expect(remove('Flag', 'x')).rejects.toThrow('injected')
    expect(currentRows(publisher)).toHaveLength(1)
    expect(await settle()).toEqual({ finished: 1, dropped: 0 })
    expect(currentRows(publisher)).toEqual([])
    expect(versions('Flag')).toEqual(['1', '2 deleted'])
    await settle()
    expect(versions('Flag')).toEqual(['1', '2 deleted'])
  })

  test('before it, is dropped by settlement, and until then keeps others from the document', async () => {
    await put('Flag', 'x', flag())
    publisher.records.failNext = 'before-commit'
    await expect(remove('Flag', 'x')).rejects.toThrow('injected')
    expect(statusOf(await put('Flag', 'x', flag(note('b'))))).toBe(503)
    expect(statusOf(await put('Flag', 'x', flag(note('b')), { ifMatch: 'W/"1"' }))).toBe(409)
    expect(statusOf(await put('Flag', 'y', flag()))).toBe(201)
    expect(await settle()).toEqual({ finished: 0, dropped: 1 })
    expect(statusOf(await put('Flag', 'x', flag(note('b'))))).toBe(200)
    expect(versions('Flag')).toEqual(['1', '1', '2'])
  })

  test('by the local database, is carried out before the next write of it', async () => {
    await put('Flag', 'x', flag())
    const write = publisher.local.write
    publisher.local.write = async (key, statements) => {
      if (!key.endsWith('/finish')) return write(key, statements)
      publisher.local.write = write
      throw new Error('injected')
    }
    await expect(remove('Flag', 'x')).rejects.toThrow('injected')
    const again = await put('Flag', 'x', flag(note('b')))
    expect(headersOf(again).ETag).toBe('W/"3"')
  })
})

test('AuditEvent and Consent are published in bundles only', async () => {
  for (const type of ['AuditEvent', 'Consent']) {
    expect(statusOf(await create(type, { resourceType: type }))).toBe(405)
    expect(statusOf(await put(type, 'x', { resourceType: type }))).toBe(405)
    expect(statusOf(await patch(type, 'x', []))).toBe(405)
    expect(statusOf(await remove(type, 'x'))).toBe(405)
  }
})

test('a condition cannot be looked up without the local database', async () => {
  const options = { withoutLocal: true }
  expect(statusOf(await remove('Observation', 'x', options))).toBe(503)
  expect(statusOf(await create('Observation', kinds[0][1](), { ...options, ifNoneExist: '_id=x' }))).toBe(503)
  expect(statusOf(await create('Observation', kinds[0][1](), options))).toBe(201)
  expect(publisher.intents).toHaveLength(1)
})

test('no statement of these scans documents, versions, lookups or relationships', async () => {
  for (const [type, of] of kinds) {
    await putWhere(type, `identifier=${system}|1`, of(identified('1')))
    await put(type, 'x', of(), { ifMatch: '*' })
    await put(type, 'x', of())
    await putWhere(type, '_id=x', of(note('b')))
    await create(type, of(identified('1')), { ifNoneExist: `identifier=${system}|1&_id=x` })
    await patch(type, 'x', [{ op: 'add', path: '/language', value: 'fr' }])
    await remove(type, 'x')
  }
  await put('Encounter', 'x', {
    resourceType: 'Encounter',
    status: 'finished',
    class: { code: 'AMB' },
    ...about('p'),
  })
  await remove('Encounter', 'x')
  const scan = /^SCAN (document|document_version|lookup|relationship|d|l|m|cur|old|was|gone|v|r)( |$)/
  for (const { db, seen } of [publisher.records, publisher.local]) {
    expect(seen.size).toBeGreaterThan(10)
    for (const sql of seen) {
      const plan = db.prepare(`explain query plan ${sql}`).all() as { detail: string }[]
      const scans = plan
        .map(({ detail }) => detail)
        .filter((detail) => scan.test(detail) && !detail.includes('VIRTUAL'))
      expect({ sql, scans }).toEqual({ sql, scans: [] })
    }
  }
})
