/** Patients who live in Montréal. Nobody here exists: telephone numbers are of the range kept for fiction (555-01xx). */
import { capDiamant, laurier, montRoyal, patient, type SamplePatient, saintRoch } from './patient.ts'

export const patientsOfMontreal: readonly SamplePatient[] = [
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
  // Her son: she acts for him until he is 14.
  patient(
    ['Arsenault', ['Léo'], 'male', '2022-03-09', '5220, rue Fabre', 'Montréal', 'H2J 3W5', '514-555-0106'],
    [montRoyal, saintRoch],
    { allergies: ['peanut'] },
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
