import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleOf, collectFiles, readBundleFile } from '../../../src/cli/import-files.ts'
import { limits } from '../../../src/limits.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dossier-import-'))
})
afterAll(() => rm(folder, { recursive: true }))

const write = async (name: string, content: string | Uint8Array = '{}'): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

describe('collecting files', () => {
  it('takes the .json files of a folder in byte order of their names, whatever the language of the machine', async () => {
    const inside = join(folder, 'order')
    await mkdir(join(inside, 'below.json'), { recursive: true })
    const names = ['é.json', 'b.json', 'Z.json', 'a.json', 'ﬀ.json', '😀.json', 'note.txt']
    for (const name of names) await write(join('order', name))
    expect(await collectFiles([inside])).toEqual(
      ['Z.json', 'a.json', 'b.json', 'é.json', 'ﬀ.json', '😀.json'].map((name) => join(inside, name)),
    )
  })

  it('takes files as named and in the order named', async () => {
    const [second, first] = [await write('2.json'), await write('1.ndjson')]
    expect(await collectFiles([second, first])).toEqual([second, first])
  })

  it('names a path that does not exist, and a folder with nothing to publish', async () => {
    await expect(collectFiles([join(folder, 'absent')])).rejects.toThrow(/absent does not exist/)
    await mkdir(join(folder, 'empty'))
    await expect(collectFiles([join(folder, 'empty')])).rejects.toThrow(/empty holds no \.json files/)
  })
})

describe('a file to publish', () => {
  it('is passed on byte for byte when it is a bundle', async () => {
    const text = '{ "resourceType" : "Bundle", "type": "batch", "entry": [{"resource": {"value": 1.10}}] }\n'
    expect(await readBundleFile(await write('bundle.json', text))).toEqual({ ok: true, value: text })
  })

  it('becomes a collection of one when it is a single resource, its digits kept', () => {
    const result = bundleOf('{"resourceType":"Observation","valueQuantity":{"value":1.10}}')
    expect(result).toEqual({
      ok: true,
      value:
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Observation","valueQuantity":{"value":1.10}}}]}',
    })
  })

  it.each([
    ['{"resourceType":', /^The JSON is malformed \(line 1, column 17\)/],
    ['[]', /no `resourceType`/],
    ['null', /no `resourceType`/],
    ['{"type":"transaction"}', /no `resourceType`/],
    ['{"resourceType":"Bundle","type":"searchset"}', /type "searchset": only transaction, batch, collection/],
    ['{"resourceType":"Bundle"}', /type "undefined"/],
  ])('is refused by name: %s', (text, reason) => {
    const result = bundleOf(text)
    expect(result.ok ? '' : result.error.en).toMatch(reason)
    expect(result.ok ? '' : result.error.fr).toMatch(
      /^(Le JSON est|ce n’est pas une ressource|un Bundle de type)/,
    )
  })

  it('is refused past the limits of one bundle', async () => {
    const entries = Array.from({ length: limits.maxBundleEntries + 1 }, () => ({}))
    const many = bundleOf(JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: entries }))
    expect(many).toEqual({
      ok: false,
      error: {
        en: '5001 entries: a Bundle has at most 5000',
        fr: '5001 entrées : un Bundle en compte au plus 5000',
      },
    })
    const large = await write('large.json', new Uint8Array(limits.maxBodyBytes + 1).fill(0x20))
    expect(await readBundleFile(large)).toEqual({
      ok: false,
      error: { en: '16.0 MiB: a Bundle has at most 16 MiB', fr: '16,0 Mio : un Bundle en compte au plus 16' },
    })
  })

  it('is refused when it is not UTF-8', async () => {
    const latin1 = await write('latin1.json', Uint8Array.from([0x22, 0xe9, 0x22]))
    expect(await readBundleFile(latin1)).toEqual({
      ok: false,
      error: { en: 'not UTF-8 text', fr: 'ce n’est pas du texte UTF-8' },
    })
  })
})
