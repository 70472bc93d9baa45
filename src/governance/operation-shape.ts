/** What the operations of `/access` have in common. */
import type { Operation } from '../disclosure/operation.ts'
import { jsonBody } from './body.ts'
import { noInput } from './fields.ts'

export const listShape = {
  method: 'GET',
  action: 'operation',
  scope: () => ({ type: '*', interaction: 's' }),
  param: noInput,
} satisfies Partial<Operation<object>>

/** Changes something, told in a JSON body. */
export const changeShape = {
  method: 'POST',
  action: 'policy',
  scope: () => ({ type: '*', interaction: 'u' }),
  param: noInput,
  query: noInput,
  bodyTypes: jsonBody,
} satisfies Partial<Operation<object, object>>
