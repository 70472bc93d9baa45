import { ndjson } from '../verify/sample-files.ts'
import { type Case, changeCommitted, exportCase, lineAt, otherHash, textCase } from './changes.ts'
import { range } from './samples.ts'

/** The text of one line, changed as a text. */
const lineText = (index: number, change: (text: string) => string): string => {
  const file = structuredClone(range)
  const at = lineAt(file, 'montreal', index)
  file.lines[at] = change(file.lines[at] as string)
  return ndjson(file)
}

const json: readonly Case[] = [
  textCase(
    'range',
    'duplicate member in an entry, the false one first',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"patient":"p1"', '"patient":"p5","patient":"p1"')),
  ),
  textCase(
    'range',
    'duplicate member in an entry, the false one last',
    ['format', 'montreal/38'],
    lineText(38, (text) =>
      text.replace('"name":"Dre Anne Tremblay"', '"name":"Dre Anne Tremblay","name":"Somebody else"'),
    ),
  ),
  textCase(
    'range',
    'duplicate member in an entry, one of the two names escaped',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"patient":"p1"', '"p\\u0061tient":"p5","patient":"p1"')),
  ),
  textCase(
    'range',
    'duplicate entry in a line',
    ['format', 'montreal/38'],
    lineText(38, (text) =>
      text.replace('{"entry"', '{"entry":{"access":{"who":{"name":"Somebody else"}}},"entry"'),
    ),
  ),
  textCase(
    'range',
    'duplicate salt in a line',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"salt"', `"salt":"${otherHash('salt')}","salt"`)),
  ),
  textCase(
    'range',
    'duplicate member in the header',
    ['format', 'file'],
    ndjson(range).replace('"completeness"', '"completeness":"patient-chain","completeness"'),
  ),
  textCase(
    'range',
    'duplicate index in a redacted line',
    ['format', 'montreal/3'],
    lineText(3, (text) => text.replace('"index"', '"index":"4","index"')),
  ),
  textCase(
    'range',
    'member of an entry that nobody knows, not committed to',
    ['leaf', 'montreal/38'],
    lineText(38, (text) => text.replace('"access":{', '"access":{"aa":"consented",')),
  ),
  textCase(
    'range',
    'member beside the entry that nobody knows',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('{"entry"', '{"comment":"consented","entry"')),
  ),
  textCase(
    'range',
    'member of the entry named __proto__',
    ['leaf', 'montreal/38'],
    lineText(38, (text) => text.replace('"access":{', '"access":{"__proto__":{"patient":"p5"},')),
  ),
  exportCase('range', range, 'member beside access, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.zz = 1
    }),
  ),
  exportCase('range', range, 'entry of another version, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.v = 2
    }),
  ),
  exportCase('range', range, 'index with a leading zero, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.index = '038'
    }),
  ),
  exportCase('range', range, 'index as a number, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.index = 38
    }),
  ),
  exportCase('range', range, 'index of 2^64, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.index = '18446744073709551616'
    }),
  ),
  exportCase('range', range, 'index of 2^64 − 1, committed to', ['index-order', 'montreal/39'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.index = '18446744073709551615'
    }),
  ),
  exportCase('range', range, 'predecessor after the entry, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, ({ chains }) => {
      chains.patient = { count: '6', previous: '38' }
    }),
  ),
  exportCase(
    'range',
    range,
    'patient taken out and the place left, committed to',
    ['entry', 'montreal/38'],
    (file) =>
      changeCommitted(file, 'montreal', 38, ({ access }) => {
        access.patient = null
      }),
  ),
  exportCase(
    'range',
    range,
    'organisation put in without a place, committed to',
    ['entry', 'montreal/12'],
    (file) =>
      changeCommitted(file, 'montreal', 12, ({ chains }) => {
        chains.organisation = null
      }),
  ),
  exportCase(
    'range',
    range,
    'time before that of the entry before, committed to',
    ['time', 'montreal/38'],
    (file) =>
      changeCommitted(file, 'montreal', 38, (entry) => {
        entry.time = '2026-11-22T08:00:00.000Z'
      }),
  ),
  exportCase('range', range, 'time that is none, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.time = '2026-11-22 09:00'
    }),
  ),
  exportCase('range', range, 'time of a 13th month, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.time = entry.time.replace('-11-', '-13-')
    }),
  ),
  textCase(
    'range',
    'huge number',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"status":200', '"status":1e999')),
  ),
  textCase(
    'range',
    'number past the doubles',
    ['leaf', 'montreal/38'],
    lineText(38, (text) => text.replace('"status":200', '"status":20000000000000000000000000')),
  ),
  textCase(
    'range',
    'half a surrogate pair',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('Tremblay', '\\ud800')),
  ),
  textCase(
    'range',
    'size of the header with a leading zero',
    ['format', 'line 1'],
    ndjson(range).replace('"size":"303"', '"size":"0303"'),
  ),
  textCase(
    'range',
    'size of the header as a number',
    ['format', 'line 1'],
    ndjson(range).replace('"size":"303"', '"size":303'),
  ),
  textCase(
    'range',
    'size of the header of 2^64',
    ['format', 'line 1'],
    ndjson(range).replace('"size":"303"', '"size":"18446744073709551616"'),
  ),
  textCase(
    'range',
    'line of a MiB',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"entry":', `"entry":${' '.repeat(1024 * 1024)}`)),
  ),
  textCase(
    'range',
    'line cut in half',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.slice(0, 300)),
  ),
  textCase(
    'range',
    'two lines in one',
    ['format', 'montreal/38'],
    lineText(38, (text) => text + text),
  ),
  textCase(
    'range',
    'line that is no JSON',
    ['format', 'montreal/38'],
    lineText(38, () => 'see annex B'),
  ),
  textCase(
    'range',
    'line that is JSON and no object',
    ['format', 'montreal/38'],
    lineText(38, () => '[]'),
  ),
  textCase(
    'range',
    'line of a kind that nobody knows',
    ['format', 'montreal/38'],
    lineText(38, () => '{"pruned":"38"}'),
  ),
  textCase(
    'range',
    'salt in base64 that is not canonical',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace(/"salt":"(.{42})."/, (_, salt) => `"salt":"${salt}_"`)),
  ),
  textCase(
    'range',
    'leaf with padding',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace(/"leaf":"(.{44})"/, '"leaf":"$1="')),
  ),
]

export { json as jsonCases }
