/** Every operation by which the trust registry and the policy are administered. */
import type { AnyOperation } from '../disclosure/operation.ts'
import { endClient, listClients, registerClient } from './clients.ts'
import { endFacility, listFacilities, registerFacility } from './facilities.ts'
import { endIssuer, listIssuers, registerIssuer } from './issuers.ts'
import { endOrganisation, listOrganisations, registerOrganisation } from './organisations.ts'
import { changeSetting, closeRoleDomain, openRoleDomain, showPolicy } from './policy-settings.ts'
import { endProfessional, listProfessionals, registerProfessional } from './professionals.ts'
import { revoke } from './revocations.ts'
import { listRoles } from './role-list.ts'
import { decideRoleRequest, listRoleRequests } from './role-requests.ts'
import { certifyRole, endRole, grantRole } from './roles.ts'

export const registryOperations: readonly AnyOperation[] = [
  listIssuers,
  registerIssuer,
  endIssuer,
  listClients,
  registerClient,
  endClient,
  listOrganisations,
  registerOrganisation,
  endOrganisation,
  listFacilities,
  registerFacility,
  endFacility,
  listProfessionals,
  registerProfessional,
  endProfessional,
  listRoles,
  grantRole,
  endRole,
  certifyRole,
  listRoleRequests,
  decideRoleRequest,
  revoke,
  showPolicy,
  changeSetting,
  openRoleDomain,
  closeRoleDomain,
]
