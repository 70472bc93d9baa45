/** The `dossier` command: one file per subcommand; a failure is one sentence on stderr and exit code 1. */
import { Command } from 'commander'
import { messageOf } from '../local/failure.ts'
import { accessCommand } from './access.ts'
import { auditCommand } from './audit.ts'
import { importCommand } from './import.ts'
import { tokenCommand } from './token.ts'
import { witnessCommand } from './witness.ts'

const program = new Command('dossier')
  .description('an open shared health record')
  .addCommand(tokenCommand())
  .addCommand(importCommand())
  .addCommand(auditCommand())
  .addCommand(accessCommand())
  .addCommand(witnessCommand())

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
