import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readExport } from '../../../src/local/receipt-proof.ts'

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()

/** Three entries of a log, made here from the formats and not by the code under test. */
const entries = [0, 1, 2].map((index) => {
  const text = JSON.stringify({
    access: {
      action: 'read',
      decision: { outcome: 'permit', reason: 'shared-domain' },
      who: { practitioner: 'geneviève', client: 'dossier-cli', facility: 'hopital' },
    },
    index: String(index),
    log: 'quebec',
    time: `2026-11-22T10:00:0${index}.000Z`,
  })
  const salt = Buffer.alloc(32, index + 1)
  const leaf = Buffer.concat([Buffer.of(1), createHmac('sha256', salt).update(text).digest()])
  const line = `{"entry":${text},"leaf":"${leaf.toString('base64url')}","salt":"${salt.toString('base64url')}"}`
  return { line, leafHash: sha256(Buffer.of(0), leaf) }
})
const lines = entries.map(({ line }) => line)
const exported = [
  '{"format":"dossier-export/1"}',
  ...lines,
  '{"block":["0","256"],"hash":"aGFzaA","log":"quebec"}',
  '{"index":"3","leaf":"bGVhZg","log":"quebec","redacted":"4"}',
  '',
].join('\n')
const hashOf = (index: number): Buffer => entries[index]?.leafHash ?? Buffer.alloc(0)
const receiptOfAll = `quebec/0+2:${sha256(
  Buffer.of(1),
  sha256(Buffer.of(1), hashOf(0), hashOf(1)),
  hashOf(2),
).toString('base64url')}`

describe('a receipt', () => {
  it('of one entry proves that entry', () => {
    const log = readExport(exported)
    expect(log.entries).toBe(3)
    expect(log.prove(`quebec/1:${hashOf(1).toString('base64url')}`)).toEqual([
      {
        log: 'quebec',
        index: 1,
        time: '2026-11-22T10:00:01.000Z',
        action: 'read',
        outcome: 'permit',
        reason: 'shared-domain',
        who: 'geneviève',
        facility: 'hopital',
      },
    ])
  })

  it('proves it by an export whose lines have proofs of their own, too', () => {
    const proved = exported.replaceAll(',"salt"', ',"proof":["aGFzaA","aGFz-_A"],"salt"')
    expect(readExport(proved).prove(receiptOfAll)).toHaveLength(3)
  })

  it('of three entries proves them in their order', () => {
    expect(
      readExport(exported)
        .prove(receiptOfAll)
        .map(({ index }) => index),
    ).toEqual([0, 1, 2])
  })

  it('does not prove an entry that was changed, exchanged or left out', () => {
    const changed = exported.replace('geneviève', 'françoise')
    expect(() => readExport(changed).prove(receiptOfAll)).toThrow(/not that of its leaf/)
    const other = `quebec/0:${hashOf(1).toString('base64url')}`
    expect(() => readExport(exported).prove(other)).toThrow(/commits to another access/)
    const shorter = exported.replace(`${lines[2]}\n`, '')
    expect(() => readExport(shorter).prove(receiptOfAll)).toThrow(/quebec\/2 .* not in the export/)
  })

  it('and an export are refused when they are none', () => {
    expect(() => readExport(exported).prove('quebec/0')).toThrow(/not a receipt/)
    expect(() => readExport('header\n{"entry":{}}\n')).toThrow(/not an entry/)
  })
})
