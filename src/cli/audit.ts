/** `dossier audit`: what a privacy officer does with the log from a terminal. */
import { Command } from 'commander'

import { exportCommand, privacyOfficer, proofCommand } from './audit-export.ts'
import { redactCommand } from './audit-redact.ts'
import { succeedCommand } from './audit-succeed.ts'

export function auditCommand(): Command {
  return new Command('audit')
    .description('the audit log')
    .addCommand(exportCommand())
    .addCommand(proofCommand())
    .addCommand(redactCommand(privacyOfficer))
    .addCommand(succeedCommand())
}
