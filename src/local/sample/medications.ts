/**
 * Drug products of the sample data: DIN, name, strength and ATC code as in the Drug Product Database of Health Canada
 * (marketed products, extract of 2026-05-05, Open Government Licence – Canada).
 */

export interface Drug {
  readonly din: string
  readonly name: string
  readonly strength: string
  readonly atc: string
  readonly atcName: string
  /** SNOMED CT route. */
  readonly route: { readonly code: string; readonly display: string }
  /** As printed on the label. */
  readonly dosage: string
  readonly timesPerDay: number
  /** What one dose and the dispensed quantity are counted in. */
  readonly unit: string
  readonly unitsPerDose: number
  /** Days that one dispense lasts. */
  readonly daysSupply: number
}

const oral = { code: '26643006', display: 'Oral route' }
const inhaled = { code: '447694001', display: 'Respiratory tract route' }

type Regimen = Partial<Pick<Drug, 'route' | 'unit' | 'unitsPerDose' | 'daysSupply' | 'timesPerDay'>>

const drug = (
  din: string,
  name: string,
  strength: string,
  atc: string,
  atcName: string,
  dosage: string,
  regimen: Regimen = {},
): Drug => ({
  din,
  name,
  strength,
  atc,
  atcName,
  dosage,
  route: oral,
  timesPerDay: 1,
  unit: 'comprimé',
  unitsPerDose: 1,
  daysSupply: 90,
  ...regimen,
})

export const drugs = {
  metformin: drug(
    '02099233',
    'GLUCOPHAGE',
    '500 mg',
    'A10BA02',
    'metformin',
    '1 comprimé 2 fois par jour aux repas',
    {
      timesPerDay: 2,
    },
  ),
  empagliflozin: drug('02443937', 'JARDIANCE', '10 mg', 'A10BK03', 'empagliflozin', '1 comprimé le matin'),
  ramipril: drug('02221853', 'ALTACE', '10 mg', 'C09AA05', 'ramipril', '1 capsule 1 fois par jour', {
    unit: 'capsule',
  }),
  candesartan: drug('02239092', 'ATACAND', '16 mg', 'C09CA06', 'candesartan', '1 comprimé 1 fois par jour'),
  amlodipine: drug('00878928', 'NORVASC', '5 mg', 'C08CA01', 'amlodipine', '1 comprimé 1 fois par jour'),
  hydrochlorothiazide: drug(
    '00326844',
    'APO-HYDROCHLOROTHIAZIDE',
    '25 mg',
    'C03AA03',
    'hydrochlorothiazide',
    '1 comprimé le matin',
  ),
  furosemide: drug('00362166', 'APO-FUROSEMIDE', '40 mg', 'C03CA01', 'furosemide', '1 comprimé le matin'),
  spironolactone: drug('00028606', 'ALDACTONE', '25 mg', 'C03DA01', 'spironolactone', '1 comprimé le matin'),
  metoprolol: drug(
    '00618632',
    'APO-METOPROLOL',
    '50 mg',
    'C07AB02',
    'metoprolol',
    '1 comprimé 2 fois par jour',
    {
      timesPerDay: 2,
    },
  ),
  warfarin: drug(
    '02242928',
    'APO-WARFARIN',
    '5 mg',
    'B01AA03',
    'warfarin',
    '1 comprimé au souper, selon le RIN',
    {
      daysSupply: 30,
    },
  ),
  apixaban: drug('02397714', 'ELIQUIS', '5 mg', 'B01AF02', 'apixaban', '1 comprimé 2 fois par jour', {
    timesPerDay: 2,
  }),
  clopidogrel: drug('02238682', 'PLAVIX', '75 mg', 'B01AC04', 'clopidogrel', '1 comprimé 1 fois par jour'),
  asa: drug(
    '02237726',
    'ASPIRIN 81MG',
    '81 mg',
    'B01AC06',
    'acetylsalicylic acid',
    '1 comprimé 1 fois par jour',
  ),
  atorvastatin: drug('02230714', 'LIPITOR', '40 mg', 'C10AA05', 'atorvastatin', '1 comprimé au coucher'),
  rosuvastatin: drug('02247162', 'CRESTOR', '10 mg', 'C10AA07', 'rosuvastatin', '1 comprimé au coucher'),
  levothyroxine: drug(
    '02172100',
    'SYNTHROID',
    '100 mcg',
    'H03AA01',
    'levothyroxine sodium',
    '1 comprimé le matin à jeun',
  ),
  salbutamol: drug(
    '02241497',
    'VENTOLIN HFA',
    '100 mcg/dose',
    'R03AC02',
    'salbutamol',
    '2 inhalations au besoin',
    {
      route: inhaled,
      unit: 'inhalation',
      unitsPerDose: 2,
    },
  ),
  sertraline: drug('01962817', 'ZOLOFT', '50 mg', 'N06AB06', 'sertraline', '1 capsule le matin', {
    unit: 'capsule',
  }),
  carbamazepine: drug(
    '00010405',
    'TEGRETOL',
    '200 mg',
    'N03AF01',
    'carbamazepine',
    '1 comprimé 2 fois par jour',
    {
      timesPerDay: 2,
    },
  ),
  acetaminophen: drug(
    '00559407',
    'TYLENOL EXTRA STRENGTH',
    '500 mg',
    'N02BE01',
    'paracetamol',
    '2 comprimés 3 fois par jour au besoin',
    { timesPerDay: 3, unitsPerDose: 2, daysSupply: 30 },
  ),
  clarithromycin: drug(
    '02126710',
    'BIAXIN BID',
    '500 mg',
    'J01FA09',
    'clarithromycin',
    '1 comprimé 2 fois par jour, 10 jours',
    { timesPerDay: 2, daysSupply: 10 },
  ),
  trimethoprimSulfa: drug(
    '00445282',
    'SULFATRIM DS',
    '800 mg + 160 mg',
    'J01EE01',
    'sulfamethoxazole and trimethoprim',
    '1 comprimé 2 fois par jour, 7 jours',
    { timesPerDay: 2, daysSupply: 7 },
  ),
} as const satisfies Record<string, Drug>

export type DrugName = keyof typeof drugs
