/** What one batch says of a caller, by the statements that ask. */
import type { Row, Rows } from '../store/ports.ts'
import type { Presented } from './caller.ts'
import type { PolicyData } from './policy-data.ts'

/** A caller as far as the registry is asked about him. */
export type Standee = Omit<Presented, 'issuerRow' | 'signedBy'>

export interface CallerRows {
  /** Of `callerSql`. */
  readonly row: Row
  readonly policy: PolicyData
  /** Of `patientStatement`; empty where the token names no patient's role. */
  readonly patients: Rows
  readonly presented: Standee
  readonly nowMs: number
}
