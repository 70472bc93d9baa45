/** `dossier audit`: what a privacy officer, an operator, and anyone who has a file do with the log from a terminal. */
import { Command } from 'commander'
import { exportCommand, proofCommand } from './audit-export.ts'
import { fsckCommand } from './audit-fsck.ts'
import { pruneCommand } from './audit-prune.ts'
import { redactCommand } from './audit-redact.ts'
import { succeedCommand } from './audit-succeed.ts'
import { verifyCommand } from './audit-verify.ts'

export function auditCommand(): Command {
  return new Command('audit')
    .description('the audit log')
    .addCommand(exportCommand())
    .addCommand(proofCommand())
    .addCommand(verifyCommand())
    .addCommand(fsckCommand())
    .addCommand(redactCommand())
    .addCommand(pruneCommand())
    .addCommand(succeedCommand())
}
