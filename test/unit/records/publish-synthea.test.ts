/** Real bundles: every file of the Synthea collection, through planning and both databases. */
import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { comparable, jsonFiles } from '../../real-resources.ts'
import { currentRows, openPublisher, type Publisher, responses } from './publish-support.ts'

const synthea = '../shared/data/synthea'

/** Four thousand resources on a busy machine. */
const timeoutMs = 60_000

interface Published {
  readonly resourceType: string
  readonly id: string
}
const resourcesOf = (file: string): readonly Published[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { entry: { resource: Published }[] }).entry.map(
    ({ resource }) => resource,
  )

describe.skipIf(!existsSync(synthea))('the 29 Synthea files, one after another', () => {
  let publisher: Publisher
  /** Server id by `Type/published id`. */
  const ids = new Map<string, string>()
  const contents = new Map<string, Published[]>()
  const publishAll = async (): Promise<void> => {
    for (const file of jsonFiles(synthea)) {
      const entries = responses(await publisher.publish(readFileSync(file, 'utf8')))
      resourcesOf(file).forEach((resource, i) => {
        const [type, id] = entries[i]?.location?.split('/') ?? []
        expect(type).toBe(resource.resourceType)
        ids.set(`${resource.resourceType}/${resource.id}`, id as string)
      })
    }
  }
  const versions = () =>
    [publisher.records, publisher.local].flatMap((database) =>
      database.rows(`select type, id, version, body from document_version
        union all select type, id, version, body from document`),
    )

  beforeAll(async () => {
    publisher = openPublisher()
    for (const resource of jsonFiles(synthea).flatMap(resourcesOf)) {
      const key = `${resource.resourceType}/${resource.id}`
      contents.set(key, [...(contents.get(key) ?? []), resource])
    }
    await publishAll()
  }, timeoutMs)

  test('are 29', () => {
    expect(jsonFiles(synthea)).toHaveLength(29)
  })

  test('give as many rows of each type as the files have ids', () => {
    const count = (types: readonly string[]): Record<string, number> => {
      const counts: Record<string, number> = {}
      for (const type of types) counts[type] = (counts[type] ?? 0) + 1
      return counts
    }
    const rows = currentRows(publisher).map(({ type }) => type as string)
    expect(count(rows)).toEqual(count([...contents.keys()].map((key) => key.split('/')[0] as string)))
    expect(new Set(ids.values()).size).toBe(contents.size)
  })

  test('are stored in the content published last, for every resource of every type', () => {
    const byId = new Map(currentRows(publisher).map((row) => [`${row.type}/${row.id}`, row.body as string]))
    for (const [key, published] of contents) {
      const type = key.split('/')[0]
      const stored = JSON.parse(byId.get(`${type}/${ids.get(key)}`) as string)
      expect(stored.id).toBe(ids.get(key))
      expect(comparable(stored)).toEqual(comparable(published.at(-1)))
    }
  })

  test('have their references rewritten to what the bundle meant', () => {
    const row = currentRows(publisher).find(
      ({ type, id }) => type === 'Patient' && [...ids.values()].includes(id as string),
    )
    const known = new Set(currentRows(publisher).map(({ type, id }) => `${type}/${id}`))
    const references = currentRows(publisher).flatMap(({ body }) =>
      [...(body as string).matchAll(/"reference":"([^"#]+)"/g)].map((match) => match[1] as string),
    )
    expect(references.length).toBeGreaterThan(10_000)
    expect(references.filter((reference) => !known.has(reference))).toEqual([])
    expect(row).toBeDefined()
  })

  test('keep earlier content in history', () => {
    const repeated = [...contents].filter(
      ([, all]) => new Set(all.map((one) => JSON.stringify(comparable(one)))).size > 1,
    )
    expect(repeated).toHaveLength(62)
    const bodies = Map.groupBy(versions(), ({ type, id }) => `${type}/${id}`)
    for (const [key, all] of repeated) {
      const stored = (bodies.get(`${key.split('/')[0]}/${ids.get(key)}`) ?? [])
        .toSorted((a, b) => Number(a.version) - Number(b.version))
        .map(({ body }) => JSON.stringify(comparable(JSON.parse(body as string))))
      const published = all.map((one) => JSON.stringify(comparable(one)))
      expect(stored).toEqual(published.filter((text, i) => text !== published[i - 1]))
    }
  })

  test('belong to 27 persons, each document to the one it names', () => {
    const rows = currentRows(publisher)
    expect(new Set(rows.map(({ person }) => person)).size).toBe(28)
    for (const { type, source_record, id, body, person } of rows) {
      const named =
        type === 'Patient'
          ? id
          : (/"(?:subject|patient)":\{"reference":"Patient\/([^"]+)"/.exec(body as string)?.[1] ?? '')
      expect(source_record).toBe(named)
      expect(person === '').toBe(named === '')
    }
  })

  test('imported again add no row, and versions only where the files disagree', async () => {
    const before = { rows: currentRows(publisher).length, versions: versions().length }
    const current = new Map(currentRows(publisher).map((row) => [`${row.type}/${row.id}`, row]))
    await publishAll()
    expect(currentRows(publisher)).toHaveLength(before.rows)
    const changed = currentRows(publisher).filter(
      (row) => current.get(`${row.type}/${row.id}`)?.version !== row.version,
    )
    expect(
      Object.entries(Object.groupBy(changed, ({ type }) => type as string)).map(([type, all]) => [
        type,
        all?.length,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['Organization', 31],
        ['Practitioner', 31],
      ]),
    )
    expect(changed).toHaveLength(62)
    for (const row of currentRows(publisher))
      expect(comparable(JSON.parse(row.body as string))).toEqual(
        comparable(JSON.parse(current.get(`${row.type}/${row.id}`)?.body as string)),
      )
  })
})
