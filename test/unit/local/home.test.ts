/** The state folder: what is taken up again, what counts as damage, and that two clusters cannot share one. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type ClusterState,
  openHome,
  readSecrets,
  readState,
  writeSecrets,
  writeState,
} from '../../../src/local/home.ts'
import { newSecrets } from '../../../src/local/keys.ts'

const state: ClusterState = {
  version: 1,
  url: 'http://127.0.0.1:8787',
  audience: 'https://dossier.example/fhir',
  ports: { worker: 8787 },
  issuers: ['http://127.0.0.1:20001'],
}

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dossier-home-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const holdData = () => mkdirSync(join(home, 'databases', 'audit'), { recursive: true })

describe('the state folder', () => {
  test('is empty before the first start', () => {
    expect(readState(home)).toBeNull()
    expect(readSecrets(home)).toBeNull()
  })

  test('gives back what was written, secrets readable by their owner only', async () => {
    const secrets = await newSecrets(['audit'])
    writeState(home, state)
    writeSecrets(home, secrets)
    expect(readState(home)).toEqual(state)
    expect(readSecrets(home)).toEqual(secrets)
    expect(statSync(join(home, 'secrets.json')).mode & 0o777).toBe(0o600)
  })

  test.each(['cluster.json', 'secrets.json'])('is damaged when %s is missing beside databases', (name) => {
    holdData()
    const read = name === 'cluster.json' ? readState : readSecrets
    expect(() => read(home)).toThrow(new RegExp(`damaged: ${name} is missing.*Restore it from a backup`))
  })

  test.each([
    ['', 'is not JSON'],
    ['{"version":1', 'is not JSON'],
    ['[]', 'is incomplete at its root'],
    [JSON.stringify({ ...state, ports: { worker: 'x' } }), 'is incomplete at ports.worker'],
    [JSON.stringify({ ...state, issuers: [] }), 'is incomplete at issuers'],
  ])('is damaged when cluster.json holds %j', (text, what) => {
    writeFileSync(join(home, 'cluster.json'), text)
    expect(() => readState(home)).toThrow(`cluster.json ${what}`)
  })

  test('is held by one cluster at a time', () => {
    const first = openHome(home)
    expect(() => openHome(home)).toThrow(`A cluster already runs on ${home}.`)
    first.release()
    openHome(home).release()
  })

  test('cannot be made where a file is', () => {
    writeFileSync(join(home, 'file'), '')
    expect(() => openHome(join(home, 'file'))).toThrow('cannot be made')
  })
})
