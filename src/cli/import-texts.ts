/** What `dossier import` says, in both languages (docs/decisions/005-languages.md). */
import type { Language } from '../local/client/language.ts'
import type { Effect } from '../local/client/publisher.ts'

interface ImportTexts {
  readonly files: string
  readonly rejected: string
  readonly stopped: string
  readonly total: string
  /** Between a place and what is said of it. */
  readonly colon: string
  readonly effects: Readonly<Record<Effect, string>>
  entry(index: number): string
  step(file: string, taken: number, rejected: number): string
  sent(files: number, ofFiles: number, rejected: number): string
}

export const importTexts: Readonly<Record<Language, ImportTexts>> = {
  fr: {
    files: 'fichiers',
    rejected: 'refusé : ',
    stopped: 'arrêté : ',
    total: 'total',
    colon: ' : ',
    effects: { created: 'créés', updated: 'modifiés', unchanged: 'inchangés' },
    entry: (index) => `entrée[${index}]`,
    step: (file, taken, rejected) => `${file} : acceptés ${taken}, refusés ${rejected}`,
    sent: (files, ofFiles, rejected) => `fichiers envoyés : ${files} sur ${ofFiles}, refus : ${rejected}`,
  },
  en: {
    files: 'files',
    rejected: 'rejected: ',
    stopped: 'stopped: ',
    total: 'total',
    colon: ': ',
    effects: { created: 'created', updated: 'updated', unchanged: 'unchanged' },
    entry: (index) => `entry[${index}]`,
    step: (file, taken, rejected) => `${file}: ${taken} taken, ${rejected} rejected`,
    sent: (files, ofFiles, rejected) => `${files} of ${ofFiles} files sent, ${rejected} rejected`,
  },
}
