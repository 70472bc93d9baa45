/** Runs a command of `dossier` against a server that answers as told. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterEach, beforeEach, vi } from 'vitest'

let folder: string

/** For each test of the file a home with a token. */
export function useHome(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dossier-command-'))
    writeFileSync(inHome('token'), 'abc\n')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })
}

/** Path of a file in the home. */
export const inHome = (name: string): string => join(folder, name)

/** @returns what was written to standard output; `failure` is the message of the error, null: there was none */
export async function runCommand(
  command: Command,
  args: readonly string[],
  answer: RequestListener,
): Promise<{ readonly said: string; readonly failure: string | null; readonly url: string }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  vi.stubEnv('DOSSIER_HOME', folder)
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const failure = await command
    .parseAsync([...args, '--url', url, '--token-file', inHome('token')], { from: 'user' })
    .then(
      () => null,
      (error: Error) => error.message,
    )
  const said = write.mock.calls.map(([text]) => text).join('')
  write.mockRestore()
  server.closeAllConnections()
  server.close()
  return { said, failure, url }
}
