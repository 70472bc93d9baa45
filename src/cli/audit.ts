/** `dossier audit`: what a privacy officer, an operator, and anyone who has a file do with the log from a terminal. */
import { Command } from 'commander'
import { accountingCommand, reportCommand } from './audit-counts.ts'
import { exportCommand, proofCommand } from './audit-export.ts'
import { fsckCommand } from './audit-fsck.ts'
import { incidentCommand } from './audit-incident.ts'
import { pruneCommand } from './audit-prune.ts'
import { questionCommand } from './audit-question.ts'
import { redactCommand } from './audit-redact.ts'
import { reviewCommand } from './audit-review.ts'
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
    .addCommand(questionCommand())
    .addCommand(incidentCommand())
    .addCommand(reviewCommand())
    .addCommand(accountingCommand())
    .addCommand(reportCommand())
    .addCommand(pruneCommand())
    .addCommand(succeedCommand())
}
