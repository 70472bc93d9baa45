/** Files asked for before they are needed, so that a log is not read at the pace of its round trips. */
import type { FetchFile } from './tile-store.ts'

export class FetchAhead {
  readonly #fetchFile: FetchFile
  readonly #asked = new Map<string, Promise<Uint8Array | null>>()

  constructor(fetchFile: FetchFile) {
    this.#fetchFile = fetchFile
  }

  /** Asks for these now. What is asked for and never read is forgotten at the next call. */
  ask(paths: readonly string[]): void {
    this.#asked.clear()
    for (const path of paths) {
      const file = this.#fetchFile(path)
      // A failure belongs to whoever reads the file.
      file.catch(() => {})
      this.#asked.set(path, file)
    }
  }

  readonly fetchFile: FetchFile = (path) => this.#asked.get(path) ?? this.#fetchFile(path)
}
