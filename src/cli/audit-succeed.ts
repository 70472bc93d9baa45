/** `dossier audit succeed`: an operator ends a log and begins its successor. */
import type { Command } from 'commander'
import type { Answer } from '../local/client/registry-client.ts'
import { type AccessOptions, asking, change, operatorLogin, textOf } from './access-command.ts'

interface SucceedOptions extends AccessOptions {
  readonly reason: string
}

export function succeedCommand(): Command {
  return asking(
    'succeed <log>',
    'end a log that has halted or whose keys change, and begin its successor; broken off, give it again',
  )
    .requiredOption('--reason <words>', 'why: it is in the first entry of the successor')
    .action(async (log: string, { reason, ...options }: SucceedOptions) => {
      const path = `/audit/succession/${encodeURIComponent(log)}`
      await change(options, operatorLogin, path, { reason }, successionOutcome)
    })
}

const successionOutcome = ({ log, successor, salvaged }: Answer): string =>
  `${textOf(log)} has ended; its entries go to ${textOf(successor)} from now on. Salvaged: ${textOf(salvaged)}.`
