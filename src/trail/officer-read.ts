/** What the operations have in common by which privacy officers read the log as a whole. */
import * as z from 'zod'
import type { Operation } from '../disclosure/operation.ts'

const param = z.object({})

export type NoParam = z.infer<typeof param>

export const officerRead = {
  method: 'GET',
  action: 'audit-read',
  callers: ['privacy-officer'],
  scope: () => ({ type: 'AuditEvent', interaction: 's' }),
  param,
} as const satisfies Partial<Operation<NoParam, never>>
