/** The verifier in workerd: no module of Node is there to lean on but those the sample is made with. */
import { describe, expect, test } from 'vitest'
import { fsck } from '../../src/audit/verify/fsck.ts'
import { portableCrypto } from '../../src/audit/verify/portable-crypto.ts'
import { verify } from '../../src/audit/verify/verify.ts'
import {
  csv,
  csvRows,
  ndjson,
  policyText,
  publishedSite,
  rangeExport,
  sampleLog,
  tlogProof,
} from '../unit/audit/verify/sample-files.ts'

const montreal = sampleLog('montreal', 300, true)
const logs = [montreal, sampleLog('quebec', 10)]
const policy = policyText(logs, 2)
const range = await rangeExport(logs.map((log) => ({ log })))

/** As the body of an answer, which is what a browser or a Worker has. */
const bodyOf = (text: string): ReadableStream<Uint8Array> =>
  new Response(text).body as ReadableStream<Uint8Array>

describe('in workerd', () => {
  test('an export, its rows and the proof of one entry are verified', async () => {
    const kinds = []
    for (const input of [
      { file: bodyOf(ndjson(range)) },
      { file: bodyOf(csv(csvRows(range))), proof: bodyOf(ndjson(range)) },
      { file: bodyOf(await tlogProof(montreal, 17)) },
    ]) {
      const report = await verify(portableCrypto, { ...input, policy })
      kinds.push(report.ok ? [report.kind, report.logs[0]?.witnesses] : report)
    }
    const witnesses = ['w1', 'w2', 'w3']
    expect(kinds).toEqual([
      ['range', witnesses],
      ['range', witnesses],
      ['tlog-proof', witnesses],
    ])
  })

  test('a changed entry is told by its index', async () => {
    const file = bodyOf(ndjson(range).replace('"index":"17"', '"index":"71"'))
    expect(await verify(portableCrypto, { file })).toMatchObject({
      ok: false,
      code: 'leaf',
      place: 'montreal/17',
    })
  })

  test('published tiles are verified', async () => {
    const site = publishedSite(logs)
    const report = await fsck(portableCrypto, {
      fetchFile: async (path) => site.get(path) ?? null,
      listing: { path: 'logs.json', folderOf: (log) => log },
    })
    expect(report).toMatchObject({ ok: true, logs: [{ entries: 303 }, { entries: 10 }] })
  })
})
