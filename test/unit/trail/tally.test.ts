import { describe, expect, test } from 'vitest'
import type { CountedEntry } from '../../../src/trail/counted-entries.ts'
import { DistinctPairs } from '../../../src/trail/distinct-pairs.ts'
import { Tally } from '../../../src/trail/tally.ts'

describe('a set of pairs in bounded memory', () => {
  test('tells what is new from what was there, also after it has grown', () => {
    const pairs = new DistinctPairs()
    const texts = Array.from({ length: 5_000 }, (_, i) => `pair ${i}`)
    expect(texts.filter((text) => pairs.add(text)).length).toBe(5_000)
    expect(texts.filter((text) => pairs.add(text)).length).toBe(0)
  })

  test('says that it is full and does not take what it cannot hold', () => {
    const pairs = new DistinctPairs(3)
    expect(['a', 'b', 'b', 'c', 'd'].map((text) => pairs.add(text))).toEqual([true, true, false, true, false])
    expect(pairs.isFull).toBe(true)
  })
})

describe('a count', () => {
  const lineOf = (professional: string) => ({
    organisation: 'north',
    professional,
    name: null,
    role: 'nurse',
    facility: 'north-1',
    patient: null,
  })
  const entry = { outcome: 'permit', action: '__proto__', operation: 'read', purpose: null } as CountedEntry

  test('of more patients than it tells apart tells accesses, and no number of patients that would be wrong', () => {
    const tally = new Tally({ pairs: new DistinctPairs(2) })
    for (const patient of ['p1', 'p2', 'p3']) {
      tally.count(lineOf('a'), entry)
      tally.meet(lineOf('a'), patient)
    }
    expect([...tally.lines()]).toMatchObject([{ accesses: 3, permits: 3, patients: null }])
  })

  test('of more lines than it keeps ends, and tells nothing', () => {
    const tally = new Tally({ maxLines: 2 })
    tally.count(lineOf('a'), entry)
    tally.count(lineOf('b'), entry)
    tally.count(lineOf('a'), entry)
    expect(() => tally.count(lineOf('c'), entry)).toThrow('ask for less')
  })

  test('takes any name of an action for a name', () => {
    const tally = new Tally()
    tally.count(lineOf('a'), entry)
    const [line] = tally.lines()
    expect(JSON.stringify(line?.actions)).toBe('{"__proto__":1}')
  })
})
