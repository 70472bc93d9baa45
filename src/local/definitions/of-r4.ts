/** The definitions of FHIR R4 as shells of Node have them: read from the generated file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Definitions, readDefinitions } from '../../fhir/definitions.ts'
import { projectRoot } from '../binaries.ts'

let read: Definitions | undefined

/** `generateDefinitions` has run: every build and every test run begins with it. */
export function definitionsOfR4(): Definitions {
  read ??= readDefinitions(readFileSync(join(projectRoot, 'src/fhir/r4/validation.generated.txt'), 'utf8'))
  return read
}
