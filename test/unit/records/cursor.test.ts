import { describe, expect, test } from 'vitest'
import { createCursors } from '../../../src/records/cursor.ts'

const cursors = createCursors(new Uint8Array(32).fill(7))
const position = { keys: ['2024-05-01T00:00:00.000Z', 1.5, null], id: 'abc' }

describe('cursors', () => {
  test('open to the position they were sealed with', async () => {
    expect(await cursors.open(await cursors.seal(position, 'q'), 'q')).toEqual(position)
  })

  test('do not open for another question or caller', async () => {
    expect(await cursors.open(await cursors.seal(position, 'q'), 'r')).toBeNull()
  })

  test('tell nothing: two of one position differ, and the id is not in them', async () => {
    const [a, b] = await Promise.all([cursors.seal(position, 'q'), cursors.seal(position, 'q')])
    expect(a).not.toBe(b)
    expect(atob(a.replaceAll('-', '+').replaceAll('_', '/'))).not.toContain('abc')
  })

  test('a change of any character is refused', async () => {
    const cursor = await cursors.seal(position, 'q')
    for (let i = 0; i < cursor.length - 1; i++) {
      const changed = `${cursor.slice(0, i)}${cursor[i] === 'A' ? 'B' : 'A'}${cursor.slice(i + 1)}`
      expect(await cursors.open(changed, 'q')).toBeNull()
    }
  })

  test.each(['', '!', 'AAAA', 'A'.repeat(500)])('%j is refused', async (text) => {
    expect(await cursors.open(text, 'q')).toBeNull()
  })
})
