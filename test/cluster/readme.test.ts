/** The README's first look, as written: its commands run in a shell against a cluster with the sample data. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSampleData } from '../../src/local/sample/load.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const root = join(import.meta.dirname, '../..')
const snippets = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
  (match) => match[1] as string,
)

describe('the README', () => {
  let t: TestCluster

  beforeAll(async () => {
    t = await startTestCluster()
    await loadSampleData(t.cluster)
  })
  afterAll(() => t?.end())

  test('starts a newcomer with exactly two commands', () => {
    expect(snippets[0]).toBe('npm ci\nnpm start\n')
  })

  test('shows a first look that works as it stands', async () => {
    const look = snippets.find((snippet) => snippet.includes('curl')) as string
    expect(look).toContain('npx dossier token')
    const script = look
      .replaceAll('http://127.0.0.1:8787', t.cluster.url)
      .replaceAll('trail.ndjson', join(t.cluster.home, 'trail.ndjson'))
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: root,
      env: {
        ...process.env,
        PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
        DOSSIER_HOME: t.cluster.home,
      },
    })
    expect(stdout).toContain('tremblay')
    expect(stdout).toMatch(/HTTP\/1\.1 200/)
    expect(stdout.toLowerCase()).toContain('dossier-receipt: montreal/')
    expect(stdout).toContain('"value":"BELG58531499"')
    expect(readFileSync(join(t.cluster.home, 'trail.ndjson'), 'utf8')).toContain('"operation":"search-type"')
  })
})
