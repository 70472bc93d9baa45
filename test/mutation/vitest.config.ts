/**
 * What `npm run mutation` runs against each mutant of the access core: the tests that say in words what is permitted. The
 * enumeration and the random registries take half a minute a mutant, and are not needed to notice.
 */
import { defineConfig } from 'vitest/config'

const tests = [
  'policy',
  'scope',
  'narrowing',
  'facts',
  'caller-facts',
  'patient-facts',
  'subject-sql',
  'policy-data',
  'sight',
  'visible',
]

export default defineConfig({
  test: { include: tests.map((name) => `test/unit/access/${name}.test.ts`) },
})
