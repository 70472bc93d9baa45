/** The patients of the sample data. Nobody here exists: telephone numbers are of the range kept for fiction (555-01xx). */
import type { History } from './events.ts'

export interface SamplePatient extends History {
  readonly family: string
  readonly given: readonly [string, ...string[]]
  readonly gender: 'female' | 'male'
  /** `YYYY-MM-DD`. */
  readonly birthDate: string
  readonly line: string
  readonly city: string
  readonly postalCode: string
  readonly phone: string
  /** Facilities that know the person; each publishes a `Patient` resource of its own. */
  readonly facilities: readonly [string, ...string[]]
  /** False: no health-insurance number yet. */
  readonly insured?: false
  /** The family name that another facility has on file: the records are not joined without a review. */
  readonly otherName?: { readonly facility: string; readonly family: string }
  /** A document its author marked restricted: it stays at that facility. */
  readonly restricted?: { readonly facility: string; readonly document: 'psychiatry' | 'hiv-test' }
}

const montRoyal = 'hopital-mont-royal'
const laurier = 'pharmacie-laurier'
const capDiamant = 'hopital-cap-diamant'
const saintRoch = 'clinique-saint-roch'

type Person = readonly [
  family: string,
  given: readonly [string, ...string[]],
  gender: 'female' | 'male',
  birthDate: string,
  line: string,
  city: string,
  postalCode: string,
  phone: string,
]

const patient = (
  person: Person,
  facilities: readonly [string, ...string[]],
  rest: Partial<Omit<SamplePatient, 'facilities'>>,
): SamplePatient => {
  const [family, given, gender, birthDate, line, city, postalCode, phone] = person
  return {
    family,
    given,
    gender,
    birthDate,
    line,
    city,
    postalCode,
    phone,
    facilities,
    problems: [],
    allergies: [],
    examinations: [],
    stays: [],
    ...rest,
  }
}

export const patients: readonly SamplePatient[] = [
  patient(
    [
      'Bélisle',
      ['Ginette', 'Marie'],
      'female',
      '1958-03-14',
      '4510, rue Saint-Denis',
      'Montréal',
      'H2J 2L3',
      '514-555-0101',
    ],
    [montRoyal, laurier, capDiamant],
    {
      problems: ['diabetes', 'hypertension', 'kidneyDisease'],
      allergies: ['penicillin'],
      examinations: [
        {
          facility: montRoyal,
          examination: 'chestXray',
          daysAgo: 61,
          conclusion: 'Foyer du lobe inférieur droit.',
        },
        {
          facility: capDiamant,
          examination: 'abdomenUltrasound',
          daysAgo: 204,
          conclusion: 'Reins de taille réduite, sans dilatation.',
        },
      ],
      stays: [{ facility: montRoyal, stay: 'pneumonia', daysAgo: 61 }],
    },
  ),
  patient(
    [
      'Thériault',
      ['Réjean'],
      'male',
      '1949-07-22',
      '1822, avenue du Mont-Royal Est',
      'Montréal',
      'H2H 1J4',
      '514-555-0102',
    ],
    [montRoyal, laurier],
    {
      problems: ['atrialFibrillation', 'heartFailure'],
      examinations: [
        {
          facility: montRoyal,
          examination: 'echocardiogram',
          daysAgo: 95,
          conclusion: 'Fraction d’éjection 35 %, oreillette gauche dilatée.',
        },
        {
          facility: montRoyal,
          examination: 'chestXray',
          daysAgo: 98,
          conclusion: 'Cardiomégalie, surcharge vasculaire.',
        },
      ],
      stays: [{ facility: montRoyal, stay: 'heartFailure', daysAgo: 98 }],
    },
  ),
  patient(
    [
      'Dubé',
      ['Françoise'],
      'female',
      '1937-12-05',
      '77, rue Saint-Joseph Est',
      'Québec',
      'G1K 3A5',
      '418-555-0103',
    ],
    [capDiamant, saintRoch],
    {
      problems: ['atrialFibrillation', 'hypertension', 'osteoarthritis'],
      examinations: [
        {
          facility: capDiamant,
          examination: 'headCt',
          daysAgo: 410,
          conclusion: 'Pas d’hémorragie. Leucoaraïose modérée.',
        },
      ],
      stays: [{ facility: capDiamant, stay: 'hipReplacement', daysAgo: 380 }],
    },
  ),
  patient(
    [
      'Lefebvre-Ménard',
      ['Jérôme'],
      'male',
      '1985-09-30',
      '215, rue du Parvis',
      'Québec',
      'G1K 6G2',
      '418-555-0104',
    ],
    [saintRoch, capDiamant],
    { problems: ['depression'], restricted: { facility: capDiamant, document: 'psychiatry' } },
  ),
  patient(
    [
      'Pépin',
      ['Zoé', 'Alice'],
      'female',
      '2019-05-18',
      '640, rue De La Salle',
      'Québec',
      'G1K 2T9',
      '418-555-0105',
    ],
    [saintRoch],
    { problems: ['asthma'], allergies: ['grassPollen'] },
  ),
  patient(
    [
      'Arsenault',
      ['Noémie'],
      'female',
      '1996-01-27',
      '5220, rue Fabre',
      'Montréal',
      'H2J 3W5',
      '514-555-0106',
    ],
    [montRoyal, laurier, saintRoch],
    { problems: ['hypothyroidism'], allergies: ['shellfish'] },
  ),
  patient(
    [
      'Côté-Gélinas',
      ['Benoît'],
      'male',
      '1972-11-11',
      '3415, rue Rachel Est',
      'Montréal',
      'H1W 1A4',
      '514-555-0107',
    ],
    [montRoyal, laurier],
    { problems: ['diabetes', 'hyperlipidemia'] },
  ),
  patient(
    [
      'Benmoussa',
      ['Aïcha'],
      'female',
      '1988-06-03',
      '6905, rue Jean-Talon Est',
      'Montréal',
      'H1S 1N2',
      '514-555-0108',
    ],
    [montRoyal, laurier],
    {
      problems: ['anaemia'],
      examinations: [
        { facility: montRoyal, examination: 'abdomenUltrasound', daysAgo: 150, conclusion: 'Examen normal.' },
      ],
    },
  ),
  patient(
    [
      'Hébert',
      ['Jean-François'],
      'male',
      '1963-04-09',
      '1100, boulevard Charest Ouest',
      'Québec',
      'G1N 2C9',
      '418-555-0109',
    ],
    [capDiamant, saintRoch, laurier],
    {
      problems: ['coronaryDisease'],
      examinations: [
        {
          facility: capDiamant,
          examination: 'echocardiogram',
          daysAgo: 247,
          conclusion: 'Akinésie apicale, fraction d’éjection 50 %.',
        },
      ],
      stays: [{ facility: capDiamant, stay: 'coronaryIntervention', daysAgo: 248 }],
    },
  ),
  patient(
    [
      'Gagné',
      ['Thérèse', 'Jeanne'],
      'female',
      '1931-08-16',
      '25, rue Dorchester',
      'Québec',
      'G1K 5Y8',
      '418-555-0110',
    ],
    [capDiamant, saintRoch],
    {
      problems: ['copd', 'kidneyDisease', 'hypothyroidism'],
      allergies: ['penicillin'],
      examinations: [
        {
          facility: capDiamant,
          examination: 'chestXray',
          daysAgo: 33,
          conclusion: 'Emphysème, pas de foyer.',
        },
      ],
    },
  ),
  patient(
    ['Tanguay', ['Loïc'], 'male', '2008-02-20', '310, 3e Avenue', 'Québec', 'G1L 2V4', '418-555-0111'],
    [saintRoch, capDiamant],
    { allergies: ['peanut'], stays: [{ facility: capDiamant, stay: 'appendectomy', daysAgo: 512 }] },
  ),
  patient(
    [
      'Saint-Onge',
      ['Mélodie'],
      'female',
      '2001-10-13',
      '2080, rue Ontario Est',
      'Montréal',
      'H2K 1V6',
      '514-555-0112',
    ],
    [montRoyal],
    { restricted: { facility: montRoyal, document: 'hiv-test' } },
  ),
  patient(
    [
      'Châteauneuf',
      ['Émile'],
      'male',
      '1955-05-25',
      '955, rue Cherrier',
      'Montréal',
      'H2L 1J1',
      '514-555-0113',
    ],
    [montRoyal, laurier, capDiamant],
    {
      // Takes warfarin from one city's pharmacy when another city's hospital prescribes an interacting antibiotic.
      problems: ['atrialFibrillation', 'diabetes'],
      stays: [{ facility: capDiamant, stay: 'urinaryInfection', daysAgo: 9 }],
    },
  ),
  patient(
    ['Frégeau', ['Danièle'], 'female', '1968-02-02', '48, rue Caron', 'Québec', 'G1K 1T4', '418-555-0114'],
    [saintRoch, capDiamant],
    {
      problems: ['hyperlipidemia'],
      examinations: [
        {
          facility: capDiamant,
          examination: 'mammogram',
          daysAgo: 121,
          conclusion: 'BI-RADS 1. Prochain dépistage dans 2 ans.',
        },
      ],
    },
  ),
  patient(
    [
      'Nguyễn',
      ['Minh', 'Đức'],
      'male',
      '1979-12-19',
      '7400, rue Saint-Hubert',
      'Montréal',
      'H2R 2N3',
      '514-555-0115',
    ],
    [montRoyal, laurier],
    { problems: ['hypertension'] },
  ),
  patient(
    ['Awashish', ['Kateri'], 'female', '1992-07-08', '12, rue Kateri', 'Wendake', 'G0A 4V0', '418-555-0116'],
    [capDiamant, saintRoch],
    { problems: ['diabetes'] },
  ),
  patient(
    [
      'Plourde',
      ['Gaétan'],
      'male',
      '1944-03-03',
      '701, rue des Embarcations',
      'Québec',
      'G1K 8J9',
      '418-555-0117',
    ],
    [capDiamant],
    {
      problems: ['copd'],
      examinations: [
        {
          facility: capDiamant,
          examination: 'chestCt',
          daysAgo: 19,
          conclusion: 'Nodule de 6 mm au lobe supérieur gauche, stable.',
        },
        {
          facility: capDiamant,
          examination: 'chestCt',
          daysAgo: 384,
          conclusion: 'Nodule de 6 mm au lobe supérieur gauche.',
        },
      ],
    },
  ),
  patient(
    [
      'Desrosiers',
      ['Mireille'],
      'female',
      '1960-09-09',
      '4031, rue Drolet',
      'Montréal',
      'H2W 2L7',
      '514-555-0118',
    ],
    [montRoyal, capDiamant],
    { problems: ['hypertension'], otherName: { facility: capDiamant, family: 'Fréchette' } },
  ),
  patient(
    [
      'Bergeron-Roy',
      ['Océane'],
      'female',
      '2026-10-02',
      '19, rue Arago Est',
      'Québec',
      'G1K 3R4',
      '418-555-0119',
    ],
    [capDiamant],
    { insured: false, stays: [{ facility: capDiamant, stay: 'birth', daysAgo: 30 }] },
  ),
  patient(
    [
      'Ouellette',
      ['Étienne'],
      'male',
      '1990-04-30',
      '2600, rue Beaubien Est',
      'Montréal',
      'H1Y 1H2',
      '514-555-0120',
    ],
    [montRoyal, laurier, capDiamant],
    {
      problems: ['epilepsy'],
      examinations: [
        {
          facility: montRoyal,
          examination: 'brainMri',
          daysAgo: 700,
          conclusion: 'Sclérose hippocampique gauche.',
        },
        { facility: capDiamant, examination: 'headCt', daysAgo: 26, conclusion: 'Pas de lésion aiguë.' },
      ],
    },
  ),
  patient(
    [
      'D’Amours',
      ['Simone'],
      'female',
      '1953-06-24',
      '1388, avenue Laurier Est',
      'Montréal',
      'H2J 1H6',
      '514-555-0121',
    ],
    [laurier],
    { problems: ['hypertension', 'hyperlipidemia'] },
  ),
]

/**
 * A health-insurance number as the régie builds them: three letters of the family name, one of the given name, year,
 * month (+ 50 for women) and day of birth, two digits. Those two are `99` for everybody here, so that a number of the
 * sample is recognised as one.
 */
export function healthInsuranceNumber(patient: SamplePatient): string {
  const letters = (name: string): string =>
    name
      .normalize('NFD')
      .replaceAll(/[^A-Za-z]/g, '')
      .toUpperCase()
  const [year = '', month = '', day = ''] = patient.birthDate.split('-')
  const sexedMonth = Number(month) + (patient.gender === 'female' ? 50 : 0)
  return `${letters(patient.family).slice(0, 3).padEnd(3, 'X')}${letters(patient.given[0]).slice(0, 1)}${year.slice(2)}${String(sexedMonth).padStart(2, '0')}${day}99`
}
