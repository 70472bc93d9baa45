import { expect, it } from 'vitest'
import { languageOf } from '../../../../src/local/client/language.ts'

it.each([
  [{ LANG: 'fr_CA.UTF-8' }, 'fr'],
  [{ LANG: 'fr' }, 'fr'],
  [{ LANG: 'fr_CA.UTF-8', LC_MESSAGES: 'en_CA.UTF-8' }, 'en'],
  [{ LANG: 'en_CA.UTF-8', LC_ALL: 'fr_CA.UTF-8', LC_MESSAGES: 'C' }, 'fr'],
  [{ LC_ALL: '', LANG: 'fr_FR@euro' }, 'fr'],
  [{ LANG: 'fry_NL' }, 'en'],
  [{ LANG: 'C' }, 'en'],
  [{}, 'en'],
])('the locale %o speaks %s', (env, language) => {
  expect(languageOf(env)).toBe(language)
})
