/** The definitions of FHIR R4 as the shells have them, read from the generated file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Definitions, readDefinitions } from '../src/fhir/definitions.ts'

let read: Definitions | undefined

export function definitionsOfR4(): Definitions {
  read ??= readDefinitions(
    readFileSync(join(import.meta.dirname, '../src/fhir/r4/validation.generated.txt'), 'utf8'),
  )
  return read
}
