/** An export as AuditEvents edited, by hand or by a program. */
import { auditEvents, events, ndjson } from '../verify/sample-files.ts'
import { type Case, type Expected, editAt, leafPaths, textCase } from './changes.ts'
import { filtered, piece } from './samples.ts'

const lines = auditEvents(piece)

/** The event of the entry 25 and that of its decision. */
const at = lines.findIndex((line) => line.includes('"valueString":"montreal/25"'))
const line = at + 1

const linesCase = (name: string, expected: Expected, change: (lines: string[]) => void): Case => {
  const changed = [...lines]
  change(changed)
  return textCase('AuditEvents', name, expected, events(changed))
}

type Json = Record<string, unknown>

const eventCase = (name: string, expected: Expected, change: (event: Json) => void, which = at): Case =>
  linesCase(name, expected, (changed) => {
    const event = JSON.parse(changed[which] as string) as Json
    change(event)
    changed[which] = JSON.stringify(event)
  })

const element = (name: string, number = line): Expected => ['event-element', `line ${number} element ${name}`]

/** What a path is compared as; null: it is not, being the word for a code, or what the event says of its profiles. */
function comparedAs(path: readonly string[], event: Json): string | null {
  const [first = '', at] = path
  const isWordOfCode = path.at(-1) === 'display' && path.at(-2) !== 'who'
  if (isWordOfCode || first === 'meta' || path.join('.').endsWith('network.type')) return null
  if (first !== 'entity') return first
  const { type } = (event.entity as { type: { code: string } }[])[Number(at)] ?? {}
  return type?.code === '1' ? 'patient' : 'entity'
}

/** Every value of one event and of one decision, edited alone. */
const edited: readonly Case[] = [at, at + 1].flatMap((which) => {
  const event = JSON.parse(lines[which] as string) as Json
  return leafPaths(event).map((path) => {
    const compared = comparedAs(path, event)
    return eventCase(
      `${which === at ? 'event' : 'decision'} edited: ${path.join('.')}`,
      compared === null ? 'verified' : element(compared, which + 1),
      (changed) => editAt(changed, path),
      which,
    )
  })
})

export const eventCases: readonly Case[] = [
  ...edited,
  linesCase('event removed', ['event-missing', 'montreal/25'], (changed) => changed.splice(at, 1)),
  linesCase('event of a decision removed', ['event-missing', 'montreal/25'], (changed) =>
    changed.splice(at + 1, 1),
  ),
  linesCase('all events of an entry removed', ['event-missing', 'montreal/25'], (changed) =>
    changed.splice(at, 2),
  ),
  linesCase('first event removed', ['event-missing', 'montreal/5'], (changed) => changed.shift()),
  linesCase('last event removed', ['event-missing', 'montreal/302'], (changed) => changed.pop()),
  linesCase('event twice', ['event-extra', `line ${line + 1}`], (changed) =>
    changed.splice(at, 0, changed[at] as string),
  ),
  linesCase('last event twice', ['event-extra', `line ${lines.length + 1}`], (changed) =>
    changed.push(changed.at(-1) as string),
  ),
  linesCase('event of another file put in', ['event-extra', `line ${line}`], (changed) =>
    changed.splice(at, 0, auditEvents(filtered)[0] as string),
  ),
  linesCase('event and decision exchanged', ['event-extra', `line ${line}`], (changed) =>
    changed.splice(at, 2, changed[at + 1] as string, changed[at] as string),
  ),
  linesCase('events in reverse order', ['event-missing', 'montreal/5'], (changed) => changed.reverse()),
  linesCase('line that is no event', ['format', `line ${line}`], (changed) => {
    changed[at] = '[]'
  }),
  linesCase('line cut', ['format', `line ${line}`], (changed) => {
    changed[at] = (changed[at] as string).slice(0, 200)
  }),
  linesCase('patient named twice over, the false one first', ['format', `line ${line}`], (changed) => {
    changed[at] = (changed[at] as string).replace(
      '"recorded":',
      '"recorded":"2026-01-01T00:00:00.000Z","recorded":',
    )
  }),
  eventCase('second patient put in', element('patient'), (event) => {
    const entities = event.entity as Json[]
    entities.push({ ...entities[0], what: { identifier: { value: 'somebody else' } } })
  }),
  eventCase('patient taken out', element('patient'), (event) => {
    event.entity = (event.entity as Json[]).slice(1)
  }),
  eventCase('agent put in', element('agent'), (event) => {
    const agents = event.agent as Json[]
    agents.push({ ...agents[0], who: { display: 'somebody else' } })
  }),
  eventCase('user taken out', element('agent'), (event) => {
    event.agent = (event.agent as Json[]).filter(({ requestor }) => requestor === false)
  }),
  eventCase('requestor that is a number', element('agent'), (event) => {
    const user = (event.agent as Json[]).find(({ requestor }) => requestor === true) as Json
    user.requestor = 1
  }),
  eventCase('entities that are no list', element('patient'), (event) => {
    event.entity = 'none'
  }),
  eventCase('outcome taken out', element('outcome'), (event) => {
    delete event.outcome
  }),
  eventCase('all but the name of the entry taken out', element('resourceType'), (event) => {
    for (const name of Object.keys(event)) if (name !== 'extension') delete event[name]
  }),
  eventCase('first event is of another type', ['format', 'file'], (event) => delete event.resourceType, 0),
  eventCase('extension of others put in', 'verified', (event) => {
    ;(event.extension as Json[]).push({ url: 'https://other.example/note', valueString: 'seen' })
  }),
  eventCase('another record named', element('source', 1), (event) => delete event.source, 0),
  eventCase('members in another order', 'verified', (event) => {
    const members = Object.entries(event).reverse()
    for (const [name] of members) delete event[name]
    Object.assign(event, Object.fromEntries(members))
  }),
  linesCase('events with spaces, other line ends and blank lines', 'verified', (changed) => {
    changed.splice(
      0,
      changed.length,
      ...changed.map((text) => `${JSON.stringify(JSON.parse(text), null, 1).replaceAll('\n', ' ')}\r\n\r`),
    )
  }),
  linesCase('no events', ['event-missing', 'montreal/5'], (changed) => changed.splice(0)),
  {
    name: 'events with the proof file of other entries',
    kind: 'AuditEvents',
    subject: { file: events(lines), proof: ndjson(filtered) },
    expected: ['event-missing', 'montreal/2'],
  },
  {
    name: 'events with a proof file that was changed',
    kind: 'AuditEvents',
    subject: { file: events(lines), proof: ndjson(piece).replace('Tremblay', 'Tremblai') },
    expected: ['leaf', 'montreal/5', 'proof'],
  },
  {
    name: 'events with a proof file cut in a line',
    kind: 'AuditEvents',
    subject: { file: events(lines), proof: ndjson(piece).slice(0, -50) },
    expected: ['format', 'line 287', 'proof'],
  },
  {
    name: 'events without their proof file',
    kind: 'AuditEvents',
    subject: { file: events(lines) },
    expected: ['format', 'file'],
  },
]
