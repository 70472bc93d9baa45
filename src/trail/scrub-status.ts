/** How far the scrub is, for `/metrics`: of the isolate in which the schedule runs, known again after its first round. */

export interface ScrubStatus {
  /** Distinct ones, of all rounds: what was wrong once is for somebody to explain, also when it is right again. */
  readonly findings: number
  /** Times the whole log was gone through. */
  readonly rounds: number
  /** Index of the entry at which the next round begins. */
  readonly position: number
}

/** By log; `*`: the schema of the audit database. */
export const scrubStatus = new Map<string, ScrubStatus>()
