/** Patients who live in or near Québec. Nobody here exists: telephone numbers are of the range kept for fiction (555-01xx). */
import { capDiamant, laurier, patient, type SamplePatient, saintRoch } from './patient.ts'

export const patientsOfQuebec: readonly SamplePatient[] = [
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
]
