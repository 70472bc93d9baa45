/** What one batch says of a caller, by the statements that ask. */
import type { Row, Rows } from '../store/ports.ts'
import type { Presented } from './caller.ts'

export interface CallerRows {
  /** Of `callerSql`. */
  readonly row: Row
  /** Of `matrixSql`. */
  readonly matrix: Rows
  /** Of `policyStatement`. */
  readonly policy: Rows
  /** Of `patientStatement`; empty where the token names no patient's role. */
  readonly patients: Rows
  readonly presented: Presented
  readonly nowMs: number
}
