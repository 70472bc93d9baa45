/** Who cares for whom, emergencies, guardians, what patients are told and what privacy officers look at: `/access/…`. */
import type { AnyOperation } from '../disclosure/operation.ts'
import { attest } from './attest.ts'
import { breakGlass } from './break-glass.ts'
import { endGuardianship, listGuardianships, registerGuardianship } from './guardianship.ts'
import { listNotices } from './notices.ts'
import { endRelationship, registerRelationship } from './relationships.ts'
import { decideReview, listReviews } from './reviews.ts'

export const careOperations: readonly AnyOperation[] = [
  attest,
  breakGlass,
  registerRelationship,
  endRelationship,
  registerGuardianship,
  endGuardianship,
  listGuardianships,
  listNotices,
  listReviews,
  decideReview,
]
