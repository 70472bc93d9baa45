import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { removeStale } from '../../../src/local/build.ts'

const nowMs = Date.parse('2026-11-22T10:00:00Z')

let dist: string
beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), 'dossier-dist-'))
})
afterEach(() => rmSync(dist, { recursive: true }))

function bundle(name: string, ageMs: number): void {
  mkdirSync(join(dist, name))
  writeFileSync(join(dist, name, 'index.js'), '')
  const madeAt = (nowMs - ageMs) / 1_000
  utimesSync(join(dist, name), madeAt, madeAt)
}

test('a build removes old versions and what killed builds left, nothing that another start may be using', () => {
  const old = limits.bundleKeptMs + 1_000
  bundle('current', old)
  bundle('replaced-a-moment-ago', 1_000)
  bundle('replaced-long-ago', old)
  bundle('being-built.2.tmp', 1_000)
  bundle('killed.1.tmp', old)
  removeStale(dist, 'current', nowMs)
  expect(readdirSync(dist).sort()).toEqual(['being-built.2.tmp', 'current', 'replaced-a-moment-ago'])
})
