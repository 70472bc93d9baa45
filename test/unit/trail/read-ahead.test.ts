import { describe, expect, test } from 'vitest'
import { readAhead } from '../../../src/trail/read-ahead.ts'

describe('reading ahead', () => {
  test('asks for the next page before this one is done with, and for no other', async () => {
    const told: string[] = []
    async function* pages() {
      for (const page of [1, 2, 3]) {
        told.push(`read ${page}`)
        yield page
      }
      told.push('end')
    }
    for await (const page of readAhead(pages())) {
      await Promise.resolve()
      told.push(`taken ${page}`)
    }
    expect(told).toEqual(['read 1', 'read 2', 'taken 1', 'read 3', 'taken 2', 'end', 'taken 3'])
  })

  test('tells of an error after the pages before it, and to nobody who has stopped', async () => {
    let isClosed = false
    async function* pages() {
      try {
        yield 1
        throw new Error('away')
      } finally {
        isClosed = true
      }
    }
    const taken: number[] = []
    const all = async () => {
      for await (const page of readAhead(pages())) taken.push(page)
    }
    await expect(all()).rejects.toThrow('away')
    expect([taken, isClosed]).toEqual([[1], true])
    for await (const _ of readAhead(pages())) break
    expect(isClosed).toBe(true)
  })

  test('closes what it reads when nobody takes more', async () => {
    let isClosed = false
    async function* pages() {
      try {
        for (let page = 0; ; page++) yield page
      } finally {
        isClosed = true
      }
    }
    for await (const page of readAhead(pages())) if (page === 3) break
    expect(isClosed).toBe(true)
  })
})
