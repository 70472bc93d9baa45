import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A state folder for one test file. */
export function temporaryHome(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'dossier-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
