/** `dossier audit redact`: what an entry says goes for good. */
import type { Command } from 'commander'
import type { Answer } from '../local/client/registry-client.ts'
import { type AccessOptions, asking, change, officerLogin, textOf } from './access-command.ts'

interface RedactOptions extends AccessOptions {
  readonly reason: string
  readonly basis: string
}

export function redactCommand(): Command {
  return asking(
    'redact <log> <index>',
    'remove for good what one entry says; that it was there, and why it went, stays',
  )
    .requiredOption('--reason <text>', 'why, in words')
    .requiredOption('--basis <text>', 'the legal basis')
    .action(async (log: string, index: string, { reason, basis, ...options }: RedactOptions) => {
      const path = `/audit/redaction/${encodeURIComponent(log)}/${encodeURIComponent(index)}`
      await change(options, officerLogin, path, { reason, basis }, redactionOutcome)
    })
}

function redactionOutcome({ changed, log, index, redaction }: Answer): string {
  const entry = `${textOf(log)}/${textOf(index)}`
  const by = `by the entry ${textOf(log)}/${textOf(redaction)}`
  return changed ? `${entry} is redacted ${by}.` : `${entry} was redacted already, ${by}.`
}
