#!/usr/bin/env node
// Launches the `dossier` command on a Node that runs TypeScript (24 or later): the running one, or the project's own.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const main = join(here, 'main.ts')
const own = join(here, '..', '..', 'node_modules', '.bin', 'node')

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(main)
} else if (existsSync(own)) {
  const child = spawn(own, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 1))
} else {
  console.error(
    `dossier needs Node 24 or later (this is ${process.version}): run npm ci in ${join(here, '..', '..')}.`,
  )
  process.exitCode = 1
}
