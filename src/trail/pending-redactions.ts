/** What an export has still to tell so that the bodies that are gone from it are accounted for. */
import { limits } from '../limits.ts'
import type { RedactedEntry } from './export-format.ts'
import type { Part } from './export-lines.ts'

/** An entry that the file cannot prove, since it is past the checkpoint of its log, which may be a later one. */
export function checkPruning({ coverage }: Part, index: number | string, pruned: string): void {
  const [by = '', at] = pruned.split('/')
  if (Number(at) >= (coverage.get(by) ?? 0))
    throw new Error(`entry ${index} was pruned while it was being exported`)
}

/** Indices of redaction entries that were named and are still to be told. */
export class PendingRedactions {
  readonly #indices = new Set<number>()
  readonly #covered: number

  constructor({ covered }: Part) {
    this.#covered = covered
  }

  add({ index, redacted }: RedactedEntry): void {
    if (redacted >= this.#covered) throw redactedMeanwhile(index)
    this.addEntry(redacted)
  }

  /** One that is to be told, whoever names it. */
  addEntry(index: number): void {
    this.#indices.add(index)
    if (this.#indices.size > limits.maxPendingRedactions)
      throw new Error('more redaction entries are to be told than an export remembers')
  }

  delete(index: number): void {
    this.#indices.delete(index)
  }

  /** Those below `end`, ascending; they are forgotten. */
  take(end: number): readonly number[] {
    const taken = [...this.#indices].filter((index) => index < end).sort((a, b) => a - b)
    for (const index of taken) this.#indices.delete(index)
    return taken
  }
}

/** The entry that says so is past the checkpoint, so the file could not prove it: the reader begins again. */
const redactedMeanwhile = (index: number): Error =>
  new Error(`entry ${index} was redacted while it was being exported`)
