/** `dossier access`: who is trusted, who may do what, and how that ends. Thin over `/access/…`. */
import { Command } from 'commander'
import { policyCommand, revokeCommand } from './access-policy.ts'
import { clientsCommand, facilitiesCommand, issuersCommand, organisationsCommand } from './access-registry.ts'
import { professionalsCommand, requestsCommand, rolesCommand } from './access-roles.ts'

export function accessCommand(): Command {
  return new Command('access')
    .description('the trust registry and the policy')
    .addCommand(issuersCommand())
    .addCommand(clientsCommand())
    .addCommand(organisationsCommand())
    .addCommand(facilitiesCommand())
    .addCommand(professionalsCommand())
    .addCommand(rolesCommand())
    .addCommand(requestsCommand())
    .addCommand(revokeCommand())
    .addCommand(policyCommand())
}
