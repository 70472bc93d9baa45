import { expect, it } from 'vitest'
import { Memory } from '../../../src/access/memory.ts'

it('forgets what was least recently used, and no more than it must', () => {
  const memory = new Memory<string, number>(2)
  memory.set('a', 1)
  memory.set('b', 2)
  expect(memory.get('a')).toBe(1)
  memory.set('c', 3)
  expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([1, undefined, 3])
  memory.set('c', 4)
  expect([memory.get('a'), memory.get('c')]).toEqual([1, 4])
  memory.delete('a')
  expect(memory.get('a')).toBeUndefined()
})
