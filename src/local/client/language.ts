/** The language of whoever sits at the terminal; see docs/decisions/005-languages.md. */

export type Language = 'fr' | 'en'

/** What is said in both. */
export type Text = Readonly<Record<Language, string>>

/** Of the locale's variables the first that is set counts (POSIX, 8.2); French for a French one, else English. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || ''
  return /^fr([_.@-]|$)/i.test(locale) ? 'fr' : 'en'
}
