import { expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { countChunks } from '../../../src/trail/count-file.ts'

test('a page of more patients than one append takes leaves in chunks, each behind its own', async () => {
  const lines = Array.from({ length: 2 * limits.maxAppendEntries + 1 }, (_, i) => ({ patient: `<${i}>` }))
  const columns = [['patient', ({ patient }: { readonly patient: string }) => patient]] as const
  async function* pages() {
    yield lines
    yield lines
  }
  const logged = new Set<string>()
  for await (const { patients, bytes } of countChunks('csv', {
    header: {},
    parts: [],
    columns,
    pages: pages(),
  })) {
    expect(patients.length).toBeLessThanOrEqual(limits.maxAppendEntries)
    for (const patient of patients) {
      expect(logged).not.toContain(patient)
      logged.add(patient)
    }
    for (const [patient] of new TextDecoder().decode(bytes).matchAll(/<\d+>/g))
      expect(logged).toContain(patient)
  }
  expect(logged.size).toBe(lines.length)
})

test('a file of counts leaves in pieces, however many lines it has', async () => {
  const columns = [['count', ({ count }: { readonly count: number }) => count]] as const
  async function* pages() {
    for (let count = 0; count < 30_000; count++) yield [{ count }]
  }
  let text = ''
  for await (const { bytes } of countChunks('json', { header: {}, parts: [], columns, pages: pages() })) {
    expect(bytes.length).toBeLessThanOrEqual(limits.countChunkLength + 100)
    text += new TextDecoder().decode(bytes)
  }
  expect((JSON.parse(text) as { readonly lines: readonly object[] }).lines).toHaveLength(30_000)
})
