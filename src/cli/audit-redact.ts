/** `dossier audit redact`: what an entry says goes for good. */
import type { Command } from 'commander'
import { type Answer, askRegistry } from '../local/client/registry-client.ts'
import { type AccessOptions, asking, print, reach, textOf } from './access-command.ts'

interface RedactOptions extends AccessOptions {
  readonly reason: string
  readonly basis: string
}

/** @param login whose token a local cluster is asked for */
export function redactCommand(login: string): Command {
  return asking(
    'redact <log> <index>',
    'remove for good what one entry says; that it was there, and why it went, stays',
  )
    .requiredOption('--reason <text>', 'why, in words')
    .requiredOption('--basis <text>', 'the legal basis')
    .action(async (log: string, index: string, { reason, basis, ...options }: RedactOptions) => {
      const path = `/audit/redaction/${encodeURIComponent(log)}/${encodeURIComponent(index)}`
      const answer = await askRegistry(reach(options, login), path, { reason, basis })
      print(options.json ? JSON.stringify(answer, null, 2) : redactionOutcome(answer))
    })
}

function redactionOutcome({ changed, log, index, redaction }: Answer): string {
  const entry = `${textOf(log)}/${textOf(index)}`
  const by = `by the entry ${textOf(log)}/${textOf(redaction)}`
  return changed ? `${entry} is redacted ${by}.` : `${entry} was redacted already, ${by}.`
}
