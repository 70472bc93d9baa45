/** `dossier audit succeed`: an operator ends a log and begins its successor. */
import type { Command } from 'commander'
import { askRegistry } from '../local/client/registry-client.ts'
import { type AccessOptions, asking, operatorLogin, print, reach } from './access-command.ts'

export const succeedCommand = (): Command =>
  asking(
    'succeed <log>',
    'end a log that has halted or whose keys change, and begin its successor; broken off, give it again',
  )
    .requiredOption('--reason <words>', 'why: it is in the first entry of the successor')
    .action(
      async (log: string, { reason, json, ...options }: AccessOptions & { readonly reason: string }) => {
        const path = `/audit/succession/${encodeURIComponent(log)}`
        const done = await askRegistry(reach(options, operatorLogin), path, { reason })
        print(
          json
            ? JSON.stringify(done, null, 2)
            : `${done.log} has ended; its entries go to ${done.successor} from now on. Salvaged: ${done.salvaged}.`,
        )
      },
    )
