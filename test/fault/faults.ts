/** Where a log can be made to fail, in which ways, and in which order. */

/** Each call site, and what its failure stands for. */
export const sites = {
  'commit of appends': 'the disk under the log: an fsync that fails, or the power that goes',
  'commit of a publication': 'the same, while a signed checkpoint is stored',
  'commit of an attestation': 'the same, while heads and a list are signed',
  'commit of a halt': 'the same, while the log writes down that it must not go on',
  'outside: view': 'asking the audit database how far the log had come, after a start',
  'outside: register': 'announcing the log and its keys there',
  'outside: append': 'draining a batch of entries there',
  'outside: put tiles': 'storing tiles there',
  'outside: put checkpoint': 'storing a signed checkpoint there, where anyone sees it',
  'outside: put cosignature': 'storing the signature of a witness there',
  'outside: read tiles': 'reading tiles for the consistency proof a witness wants',
  'outside: read leaves': 'reading leaves that the log no longer holds itself',
  'records: view': 'asking the replica of *records* what it remembers of the log',
  'records: put': 'giving the newest checkpoint to *records*',
  witness: 'one exchange with a witness, which persists before it answers',
  clock: 'the clock of the machine',
  storage: 'a backup of the log’s own storage put in place of it',
} as const

export type Site = keyof typeof sites

export type Mode =
  /** Refused, or silent until the deadline. */
  | 'fails, not done'
  /** The same for the caller; but what it wanted takes place, at once or later. */
  | 'fails, done'
  /** From this call on all fail in this way, until the faults are over. */
  | 'away'
  /** The instance is gone; what it waits for never comes. */
  | 'killed before it was done'
  | 'killed after it was done'
  /** Of the clock: an hour, for good. */
  | 'set back'
  /** Of the clock: by minutes, until the faults are over. */
  | 'ahead for a while'
  /** Of the storage, at a start: alone, or together with the audit database. */
  | 'restored'
  | 'restored with the audit database'

const callModes = [
  'fails, not done',
  'fails, done',
  'killed before it was done',
  'killed after it was done',
] as const

export const modesOf = (site: Site): readonly Mode[] => {
  if (site === 'clock') return ['set back', 'ahead for a while']
  if (site === 'storage') return ['restored', 'restored with the audit database']
  return site.startsWith('commit') ? callModes : [...callModes, 'away']
}

export interface Fault {
  readonly site: Site
  readonly mode: Mode
  /** Strikes at the n-th call of the site since the fault before it, from 1. */
  readonly nth: number
}

export const nameOf = (faults: readonly Fault[]): string =>
  faults.map(({ site, mode, nth }) => `${site} #${nth} ${mode}`).join(', then ') || 'no fault'

/** Strikes one fault after the other; each counts the calls of its site from the one before it on. */
export class FaultPlan {
  readonly #faults: readonly Fault[]
  #fired = 0
  #calls = 0
  #isOver = false
  readonly #away = new Set<Site>()

  constructor(faults: readonly Fault[]) {
    this.#faults = faults
  }

  /** Faults that have struck. */
  get fired(): number {
    return this.#fired
  }

  /** Fails until the faults are over. */
  isAway(site: Site): boolean {
    return this.#away.has(site)
  }

  /** What this call does wrong, null: nothing. */
  strike(site: Site): Mode | null {
    const fault = this.#faults[this.#fired]
    if (this.#isOver) return null
    if (this.#away.has(site)) return 'fails, not done'
    if (fault?.site !== site) return null
    this.#calls += 1
    if (this.#calls < fault.nth) return null
    this.#fired += 1
    this.#calls = 0
    if (fault.mode !== 'away') return fault.mode
    this.#away.add(site)
    return 'fails, not done'
  }

  end(): void {
    this.#isOver = true
  }
}
