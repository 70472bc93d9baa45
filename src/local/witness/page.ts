/** What a witness shows to people: who it is and what it watches, in French and in English. */
import type { Contradiction, Identity, LatestCheckpoint } from './store.ts'

export interface WatchedLog {
  readonly origin: string
  readonly vkeys: readonly string[]
  /** Where its last cosigned checkpoint is served. */
  readonly path: string
  readonly latest: LatestCheckpoint | null
  readonly contradictions: readonly Contradiction[]
}

const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const words = {
  fr: {
    title: 'Témoin de journaux de transparence',
    promise:
      'Ce témoin signe l’état d’un journal seulement après avoir vérifié que le journal n’a fait que grandir depuis l’état qu’il a signé auparavant. Il ne lit aucune entrée.',
    keys: 'Ses clés',
    logs: 'Journaux surveillés',
    key: 'clé',
    nothing: 'aucun état signé pour l’instant',
    signed: (size: bigint, time: string) => `${size} entrées, signé le ${time}`,
    fork: 'Ce journal a signé deux états différents de même taille. Les deux :',
  },
  en: {
    title: 'Witness of transparency logs',
    promise:
      'This witness signs the state of a log only after it has verified that the log did nothing but grow since the state it signed before. It reads no entries.',
    keys: 'Its keys',
    logs: 'Logs it watches',
    key: 'key',
    nothing: 'no state signed so far',
    signed: (size: bigint, time: string) => `${size} entries, signed ${time}`,
    fork: 'This log has signed two different states of one size. Both:',
  },
} as const

type Language = keyof typeof words

export function witnessPage(identity: Identity, logs: readonly WatchedLog[]): string {
  return `<!doctype html>
<html lang="fr">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escapeHtml(identity.name)}</title>
    <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
      code, pre { overflow-wrap: anywhere; white-space: pre-wrap; font-size: 0.85rem; }
      .fork { border-left: 4px solid #b91c1c; padding-left: 0.8rem; }
      section + section { border-top: 1px solid; margin-top: 2rem; }
    </style>
  </head>
  <body>
    <h1>${escapeHtml(identity.name)}</h1>
${section('fr', identity, logs)}
${section('en', identity, logs)}
  </body>
</html>
`
}

function section(language: Language, { vkeys }: Identity, logs: readonly WatchedLog[]): string {
  const text = words[language]
  const list = (items: readonly string[]): string =>
    items.map((item) => `        <li><code>${escapeHtml(item)}</code></li>\n`).join('')
  return `    <section lang="${language}">
      <h2>${text.title}</h2>
      <p>${text.promise}</p>
      <h3>${text.keys}</h3>
      <ul>
${list(vkeys)}      </ul>
      <h3>${text.logs}</h3>
${logs.map((log) => logOf(language, log)).join('\n')}
    </section>`
}

function logOf(language: Language, { origin, vkeys, path, latest, contradictions }: WatchedLog): string {
  const text = words[language]
  const state =
    latest === null
      ? text.nothing
      : `<a href="${escapeHtml(path)}">${text.signed(latest.size, new Date(latest.time * 1000).toISOString())}</a>`
  const keys = vkeys.map((vkey) => `<br>${text.key} <code>${escapeHtml(vkey)}</code>`).join('')
  const forks = contradictions.map(
    ({ cosigned, note }) => `
      <div class="fork">
        <p>${text.fork}</p>
        <pre>${escapeHtml(cosigned)}</pre>
        <pre>${escapeHtml(note)}</pre>
      </div>`,
  )
  return `      <p><strong>${escapeHtml(origin)}</strong>: ${state}${keys}</p>${forks.join('')}`
}
