/** The login page of the local provider: a list of the sample people, in French and English. */
import { facilities, holders, organisations, professionals, type SampleRole } from '../sample/directory.ts'

const roleNames: Readonly<Record<string, string>> = {
  physician: 'médecin · physician',
  resident: 'résident · resident',
  pharmacist: 'pharmacien · pharmacist',
  nurse: 'infirmière · nurse',
  dietitian: 'diététiste · dietitian',
  'medical-archivist': 'archiviste médical · medical archivist',
  'access-manager': 'gestionnaire des autorisations d’accès · access-authorisation manager',
  'privacy-officer': 'responsable de la vie privée · privacy officer',
  operator: 'exploitant · operator',
  patient: 'patient · patient',
  guardian: 'parent ou tuteur · parent or guardian',
}

const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const placeName = ({ facility, organisation }: SampleRole): string =>
  facilities.find(({ id }) => id === facility)?.name ??
  organisations.find(({ id }) => id === organisation)?.name ??
  'Dossier'

/** `uid` is the interaction's, from the provider. */
export function loginPage(uid: string): string {
  const entry = (login: string, name: string, lines: readonly string[]): string => `
      <li><button name="login" value="${escapeHtml(login)}"><strong>${escapeHtml(name)}</strong>
        ${lines.map((line) => `<span>${escapeHtml(line)}</span>`).join('\n        ')}
      </button></li>`
  const people = [
    ...professionals.map(({ login, name, roles }) =>
      entry(
        login,
        name,
        roles.map((held) => `${roleNames[held.role] ?? held.role} — ${placeName(held)}`),
      ),
    ),
    ...holders.map(({ login, name, roles }) =>
      entry(
        login,
        name,
        roles.map((role) => roleNames[role] ?? role),
      ),
    ),
  ]
  return `<!doctype html>
<html lang="fr">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Dossier — connexion locale</title>
    <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
      ul { list-style: none; padding: 0; display: grid; gap: 0.5rem; }
      button { width: 100%; text-align: left; font: inherit; padding: 0.6rem 0.8rem; cursor: pointer; }
      span { display: block; }
      .local { border-left: 4px solid #b45309; padding: 0.2rem 0.8rem; }
    </style>
  </head>
  <body>
    <h1>Qui êtes-vous&nbsp;? <small lang="en">Who are you?</small></h1>
    <p class="local">Fournisseur d’identité de démonstration, sur cette machine seulement&nbsp;: personnes fictives, aucun mot
      de passe. <span lang="en">Identity provider for local use only: fictitious people, no passwords.</span></p>
    <form method="post" action="/interaction/${escapeHtml(uid)}"><ul>${people.join('')}
    </ul></form>
  </body>
</html>
`
}
