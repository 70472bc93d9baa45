/** `dossier audit prune`: what entries older than the retention policy say goes for good. */
import type { Command } from 'commander'
import type { Answer } from '../local/client/registry-client.ts'
import { type AccessOptions, asking, change, officerLogin, textOf } from './access-command.ts'

interface PruneOptions extends AccessOptions {
  readonly reason: string
  readonly basis: string
  readonly before?: string
}

export function pruneCommand(): Command {
  return asking(
    'prune <log>',
    'remove for good what entries older than the retention policy say; that they were there stays',
  )
    .requiredOption('--reason <text>', 'why, in words')
    .requiredOption('--basis <text>', 'the legal basis')
    .option('--before <time>', 'only what is older than this; default: all that the policy lets go')
    .action(async (log: string, { reason, basis, before, ...options }: PruneOptions) => {
      const path = `/audit/pruning/${encodeURIComponent(log)}`
      const asked = { reason, basis, ...(before === undefined ? {} : { before }) }
      await change(options, officerLogin, path, asked, pruningOutcome)
    })
}

const pruningOutcome = ({ changed, log, to }: Answer): string =>
  changed
    ? `What the entries of ${textOf(log)} below ${textOf(to)} say is gone, but for what is held.`
    : `Nothing more of ${textOf(log)} is older than that.`
