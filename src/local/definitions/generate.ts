/**
 * Makes the tables that reading, searching and validating need out of HL7's definitions: `src/fhir/r4/*.generated.*`. They are
 * made anew when they are missing or what they are made of has changed; nothing of HL7's is kept in the sources.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectRoot } from '../binaries.ts'
import { manifest } from './package-files.ts'

const folder = join(projectRoot, 'src/fhir/r4')

/** File name in `src/fhir/r4/`, and what writes its text. */
const generators: readonly (readonly [string, () => Promise<string>])[] = [
  ['search.generated.js', async () => (await import('./search-tables.ts')).searchTables()],
  ['validation.generated.txt', async () => (await import('./validation.ts')).validationTable()],
]

/** Two runs at once do not disturb each other: each file is renamed into place whole. */
export async function generateDefinitions(): Promise<void> {
  const stamp = stampOfSources()
  for (const [name, textOf] of generators) {
    const file = join(folder, name)
    if (isCurrent(file, stamp)) continue
    const temporary = `${file}.${process.pid}.tmp`
    mkdirSync(folder, { recursive: true })
    writeFileSync(temporary, `${stampLine(stamp)}\n${await textOf()}`)
    renameSync(temporary, file)
  }
}

const stampLine = (stamp: string): string => `// made of ${stamp}`

const isCurrent = (file: string, stamp: string): boolean =>
  existsSync(file) && readFileSync(file, 'utf8').startsWith(`${stampLine(stamp)}\n`)

/** Digest of the package's version and of the generators. */
function stampOfSources(): string {
  const hash = createHash('sha256')
  hash.update(manifest())
  for (const name of readdirSync(import.meta.dirname).sort())
    hash.update(readFileSync(join(import.meta.dirname, name)))
  return hash.digest('hex').slice(0, 16)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generateDefinitions()
