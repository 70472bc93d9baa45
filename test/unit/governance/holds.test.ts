/** Under which ids a person on hold is looked for in the log: never too few, whatever became of the source records. */
import { beforeEach, describe, expect, test } from 'vitest'
import { heldIdsStatement, readHolds } from '../../../src/governance/holds.ts'
import { limits } from '../../../src/limits.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'

let records: MemoryDatabase
let clock: number

beforeEach(() => {
  records = openDatabase('records')
  clock = 0
})

const admit = (id: string, person: string): void => {
  records.rows('insert into source_record values (?, ?, ?, ?)', id, 'hopital', person, ++clock)
}
const move = (id: string, person: string): void => {
  records.rows('update source_record set person = ?, clock = ? where id = ?', person, ++clock, id)
}
const heldOf = async (key: string): Promise<readonly string[]> => {
  records.rows("insert into audit_hold (kind, key, reason, valid_from) values ('patient', ?, 'x', 0)", key)
  return [...(await readHolds(records)).patients].sort()
}

describe('a hold on a person', () => {
  test('holds the id itself, also when the record knows nobody by it', async () => {
    expect(await heldOf('nobody')).toEqual(['nobody'])
  })

  test.each(['a', 'b', 'c'])('reaches those joined later, by whichever id it was set (%s)', async (key) => {
    admit('A', 'a')
    admit('B', 'b')
    admit('C', 'c')
    move('B', 'a')
    move('C', 'a')
    expect(await heldOf(key)).toEqual(['a', 'b', 'c'])
  })

  test.each(['a', 'b', 'd'])('keeps also an id that a stranger had for a while (%s)', async (key) => {
    admit('A', 'a')
    admit('S', 's')
    admit('B', 'b')
    move('S', 'a')
    move('S', 's')
    move('B', 'a')
    move('A', 'd')
    move('B', 'd')
    expect(await heldOf(key)).toEqual(expect.arrayContaining(['a', 'b', 'd']))
  })

  test('may name the Patient of any facility', async () => {
    admit('A', 'a')
    admit('B', 'b')
    move('B', 'a')
    expect(await heldOf('B')).toEqual(['B', 'a', 'b'])
  })

  test('goes on to hold all of a person who is split in two', async () => {
    admit('A', 'a')
    admit('B', 'b')
    move('B', 'a')
    move('B', 'e')
    expect(await heldOf('a')).toEqual(['a', 'b', 'e'])
  })

  test('has no bound on the ids of one person', async () => {
    const ids = Array.from({ length: limits.maxPersonIds + 40 }, (_, i) => `p${i}`)
    for (const id of ids) admit(`R${id}`, id)
    for (const id of ids) move(`R${id}`, 'p0')
    expect(await heldOf('p7')).toEqual([...ids].sort())
  })

  test('is looked up by indices', async () => {
    const { sql, args } = heldIdsStatement('a')
    const plan = records.db.prepare(`explain query plan ${sql}`).all(args as Record<string, string>)
    expect(
      plan.map(({ detail }) => detail).filter((detail) => /^SCAN (s|v|source)/.test(String(detail))),
    ).toEqual([])
  })
})
