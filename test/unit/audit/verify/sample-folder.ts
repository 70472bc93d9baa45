/** Samples as files on disk. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SampleSite } from './sample-files.ts'

export function writeSite(folder: string, site: SampleSite): void {
  for (const [path, bytes] of site) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
}
