/** `dossier witness` as a process: what it prints, how it ends, and that it remembers whatever happens to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseCheckpoint } from '../../../src/audit/tlog/checkpoint.ts'
import { parseNote } from '../../../src/audit/tlog/note.ts'
import { requestOf, temporaryFolder, testLog, tree } from '../local/witness/support.ts'

const log = testLog('audit.example/logs/montreal', 1)
const main = tree()
const fork = tree({ at: 0n, leaf: 'other' })

interface Run {
  readonly child: ChildProcess
  readonly lines: readonly string[]
  readonly url: string
}

const spawnWitness = (home: string, ...args: string[]): ChildProcess => {
  const command = join(import.meta.dirname, '../../../src/cli/main.ts')
  const options = ['witness', '--home', home, '--name', 'witness.example/w1', '--port', '0', ...args]
  const child = spawn(process.execPath, [command, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Resolves when it prints that it is ready. */
async function run(home: string, ...args: string[]): Promise<Run> {
  const child = spawnWitness(home, ...args)
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    lines.push(line)
    if (line.startsWith('ready ')) return { child, lines, url: line.slice('ready '.length) }
  }
  throw new Error(`it ended after ${lines.join('\n')}`)
}

const submit = async ({ url }: Run, oldSize: bigint, size: bigint, history = main): Promise<Response> =>
  await fetch(`${url}/add-checkpoint`, { method: 'POST', body: await requestOf(log, history, oldSize, size) })

async function storedSize({ url }: Run): Promise<bigint> {
  const hash = createHash('sha256').update(log.origin).digest('hex')
  const note = await (await fetch(`${url}/${hash}/checkpoint`)).text()
  return parseCheckpoint(parseNote(note).text).size
}

async function ended(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? child.signalCode
}

describe('dossier witness', () => {
  test('prints the lines of a policy, then that it is ready; SIGTERM ends it', async () => {
    const witness = await run(join(temporaryFolder(), 'home'), '--log', log.vkey, log.mldsa44Vkey)
    expect(witness.lines.slice(0, 3).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'witness witness.example/w1/ed25519',
      'witness witness.example/w1/ml-dsa-44',
      'group witness.example/w1',
    ])
    expect(witness.lines[0]?.endsWith(witness.url)).toBe(true)
    expect((await submit(witness, 0n, 5n)).status).toBe(200)
    witness.child.kill('SIGTERM')
    expect(await ended(witness.child)).toBe(0)
  })

  test('what cannot be done is one sentence and exit code 1', async () => {
    const child = spawnWitness(join(temporaryFolder(), 'home'))
    const [said] = await Promise.all([child.stderr?.setEncoding('utf8').toArray(), once(child, 'exit')])
    expect(said?.join('')).toBe(
      'There is no log to watch: name one with --log VKEY, or a record with --logs-from URL.\n',
    )
    expect(child.exitCode).toBe(1)
  })

  test('a second process on the same folder refuses to start', async () => {
    const home = join(temporaryFolder(), 'home')
    await run(home, '--log', log.vkey)
    const child = spawnWitness(home)
    const [said] = await Promise.all([child.stderr?.setEncoding('utf8').toArray(), once(child, 'exit')])
    expect(said?.join('')).toMatch(/^A witness already runs on .*\n$/)
    expect(child.exitCode).toBe(1)
  })

  test('killed at any moment it remembers what it cosigned, and signs no other history', async () => {
    const home = join(temporaryFolder(), 'home')
    let answered = 0n
    for (const isFirst of [true, false, false]) {
      const witness = await run(home, ...(isFirst ? ['--log', log.vkey] : []))
      let size = isFirst ? 0n : await storedSize(witness)
      // The answer to the last request may have been lost with it; what was answered may not.
      expect([answered, answered + 1n]).toContain(size)
      if (!isFirst) {
        expect((await submit(witness, size, size, fork)).status).toBe(422)
        expect((await submit(witness, size, size + 1n, fork)).status).toBe(422)
      }
      for (const _ of [1, 2]) {
        expect((await submit(witness, size, size + 1n)).status).toBe(200)
        size += 1n
      }
      const last = submit(witness, size, size + 1n).then(
        ({ status }) => status,
        () => null,
      )
      witness.child.kill('SIGKILL')
      answered = (await last) === 200 ? size + 1n : size
      expect(await ended(witness.child)).toBe('SIGKILL')
    }
  })
})
