/** Whom a stream names: each patient is in the log once, before the first chunk that names them leaves. */
import { limits } from '../limits.ts'

/** Patients named so far, and those of the chunk being made. */
export class PatientsMet {
  #named = new Set<string>()
  #fresh: string[] = []

  isNew(patient: string): boolean {
    return !this.#named.has(patient)
  }

  /** One append takes no more. */
  get isFull(): boolean {
    return this.#fresh.length === limits.maxAppendEntries
  }

  add(patient: string): void {
    if (this.#named.has(patient)) return
    // Forgetting makes a patient be logged again: more entries than needed, never fewer.
    if (this.#named.size === limits.maxExportPatients) this.#named = new Set(this.#fresh)
    this.#named.add(patient)
    this.#fresh.push(patient)
  }

  take(): string[] {
    const fresh = this.#fresh
    this.#fresh = []
    return fresh
  }
}
