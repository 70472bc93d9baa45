/** What a notice says, in the reader's language: who, where, when and why. Pure. */
import type { NoticeFacts } from './notice-rows.ts'
import { recourse } from './question-text.ts'

/** `at`, `until`: ISO 8601 UTC, told in the time of Québec. */
export function noticeText(facts: NoticeFacts, at: string, language: 'fr' | 'en'): string {
  return language === 'fr' ? french(facts, at) : english(facts, at)
}

function french(facts: NoticeFacts, at: string): string {
  const when = moment(at, 'fr-CA')
  if (facts.kind === 'consent') {
    const by = facts.capacity === 'guardian' ? 'en votre nom, à titre de tuteur' : 'à votre demande'
    return `Le ${when}, ${facts.name} a ${frenchChanges[facts.change]}, ${by}.`
  }
  if (facts.kind === 'guardianship') {
    const what = facts.change === 'registered' ? 'inscrit' : 'mis fin à'
    const whose =
      facts.of === 'ward' ? 'la tutelle qu’une personne exerce pour vous' : 'votre tutelle d’un enfant'
    return `Le ${when}, ${facts.name} a ${what} ${whose}.`
  }
  if (facts.kind === 'question') {
    if (facts.about === 'access' || facts.outcome === '')
      return `Le ${when}, ${facts.name} a répondu à votre question sur un accès à votre dossier.`
    const done = `Le ${when}, ${facts.name} a répondu à votre demande de correction : ${frenchOutcomes[facts.outcome]}.`
    return withRecourse(done, recourse(facts.outcome, 'fr'))
  }
  const who = `${facts.name} (${facts.facilityName})`
  const until = moment(facts.until, 'fr-CA')
  return facts.kind === 'break-glass'
    ? `Le ${when}, ${who} a ouvert votre dossier en urgence, jusqu’au ${until}. Raison donnée : « ${facts.reason} »`
    : `Le ${when}, ${who} a déclaré vous soigner et peut consulter votre dossier jusqu’au ${until}. Raison donnée : « ${facts.reason} »`
}

const frenchChanges = {
  recorded: 'inscrit un refus ou une restriction',
  changed: 'modifié un refus ou une restriction',
  cancelled: 'annulé un refus ou une restriction',
} as const

function english(facts: NoticeFacts, at: string): string {
  const when = moment(at, 'en-CA')
  if (facts.kind === 'consent') {
    const by = facts.capacity === 'guardian' ? 'in your name, as your guardian' : 'at your request'
    return `On ${when}, ${facts.name} ${englishChanges[facts.change]}, ${by}.`
  }
  if (facts.kind === 'guardianship') {
    const whose = facts.of === 'ward' ? 'somebody’s guardianship of you' : 'your guardianship of a child'
    return `On ${when}, ${facts.name} ${facts.change} ${whose}.`
  }
  if (facts.kind === 'question') {
    if (facts.about === 'access' || facts.outcome === '')
      return `On ${when}, ${facts.name} answered your question about an access to your record.`
    const done = `On ${when}, ${facts.name} answered your request for correction: ${englishOutcomes[facts.outcome]}.`
    return withRecourse(done, recourse(facts.outcome, 'en'))
  }
  const who = `${facts.name} (${facts.facilityName})`
  const until = moment(facts.until, 'en-CA')
  return facts.kind === 'break-glass'
    ? `On ${when}, ${who} opened your record in an emergency, until ${until}. Reason given: “${facts.reason}”`
    : `On ${when}, ${who} stated to be caring for you and may consult your record until ${until}. Reason given: “${facts.reason}”`
}

const englishChanges = {
  recorded: 'recorded a refusal or a restriction',
  changed: 'changed a refusal or a restriction',
  cancelled: 'cancelled a refusal or a restriction',
} as const

const frenchOutcomes = {
  accepted: 'acceptée',
  'partly-accepted': 'acceptée en partie',
  refused: 'refusée',
} as const

const englishOutcomes = {
  accepted: 'accepted',
  'partly-accepted': 'accepted in part',
  refused: 'refused',
} as const

const withRecourse = (sentence: string, way: string | null): string =>
  way === null ? sentence : `${sentence} ${way}`

const moment = (at: string, locale: 'fr-CA' | 'en-CA'): string =>
  new Intl.DateTimeFormat(locale, {
    timeZone: 'America/Toronto',
    dateStyle: 'long',
    timeStyle: 'short',
    hourCycle: 'h23',
  }).format(new Date(at))
