/** What `dossier audit question` and `dossier audit incident` send and say, against a server that answers as told. */
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { auditCommand } from '../../../src/cli/audit.ts'
import { register } from '../governance/incidents.ts'
import { inHome, runCommand, useHome } from './commands.ts'

useHome()

/** Runs `dossier audit …` against a server that gives these replies in turn, text as it is. */
async function run(args: readonly string[], ...replies: readonly unknown[]) {
  const received: string[] = []
  const { said, failure, url } = await runCommand(auditCommand(), args, async (request, response) => {
    received.push(`${request.method} ${request.url} ${(await request.toArray()).join('')}`.trim())
    const reply = replies[received.length - 1]
    response.writeHead(reply === undefined ? 404 : 200)
    response.end(typeof reply === 'string' ? reply : JSON.stringify(reply ?? { title: 'Not found.' }))
  })
  return { received, out: said, failure, url }
}

const question = {
  id: 'q1',
  kind: 'access',
  entry: 'montreal/17',
  patient: 'Patient/p',
  state: 'received',
  at: '2026-10-01T12:00:00.000Z',
  due: '2026-10-31T12:00:00.000Z',
  overdue: true,
  organisation: { id: 'ciusss', name: 'CIUSSS' },
}

describe('dossier audit question', () => {
  it('lists page after page, at the address it was given', async () => {
    const next = 'https://elsewhere.example/audit/questions?status=all&_cursor=c2'
    const second = { ...question, id: 'q2', overdue: false, organisation: null }
    const { received, out, failure } = await run(
      ['question', 'list', '--status', 'all'],
      { questions: [question], next },
      { questions: [second], next: null },
    )
    expect(failure).toBeNull()
    expect(received).toEqual([
      'GET /audit/questions?status=all',
      'GET /audit/questions?status=all&_cursor=c2',
    ])
    expect(out).toMatch(/q1 .*montreal\/17 .*received .*2026-10-01 .*2026-10-31 \(late\) .*ciusss/)
    expect(out).toMatch(/q2 .*2026-10-31 +the whole record/)
  })

  it.each([
    [['take', 'q1'], '{"state":"in-review"}'],
    [['close', 'q1'], '{"state":"closed"}'],
    [['answer', 'q1', '--text', 'Oui.'], '{"state":"answered","answer":"Oui."}'],
    [
      ['answer', 'q1', '--text', 'Non.', '--outcome', 'refused', '--reason', 'Exact'],
      '{"state":"answered","answer":"Non.","outcome":"refused","reason":"Exact"}',
    ],
    [['refer', 'q1', '--to', 'gmf', '--reason', 'À eux'], '{"state":"referred","to":"gmf","reason":"À eux"}'],
  ])('%j sends %s', async (args, sent) => {
    const { received, out } = await run(['question', ...args], {
      id: 'q1',
      state: 'answered',
      due: question.due,
    })
    expect(received).toEqual([`POST /audit/questions/q1 ${sent}`])
    expect(out).toBe('Question q1 is answered.\n')
  })

  it('asks about an access, and shows a question as it is', async () => {
    const asked = await run(['question', 'ask', 'montreal', '17', '--text', 'Pourquoi ?'], question)
    expect(asked.received).toEqual([
      'POST /audit/questions {"kind":"access","entry":"montreal/17","text":"Pourquoi ?"}',
    ])
    expect(asked.out).toBe('Question q1 is to be answered by 2026-10-31.\n')
    const shown = await run(['question', 'show', '../q'], question)
    expect(shown.received).toEqual(['GET /audit/questions/..%2Fq'])
    expect(JSON.parse(shown.out)).toEqual(question)
  })
})

describe('dossier audit incident', () => {
  it('lists, enters and revises what the register holds', async () => {
    const incident = { ...register, id: 'i1', status: 'open', organisation: null, from: { question: 'q1' } }
    const listed = await run(['incident', 'list', '--from', '2026-01-01'], {
      incidents: [incident],
      next: null,
    })
    expect(listed.received).toEqual(['GET /audit/incidents?from=2026-01-01'])
    expect(listed.out).toMatch(/i1 +open +2026-11-20 +1 +- +the whole record +question q1/)
    const file = inHome('incident.json')
    writeFileSync(file, JSON.stringify(register))
    for (const [args, path] of [
      [['add', file], '/audit/incidents'],
      [['revise', 'i1', file], '/audit/incidents/i1'],
    ] as const) {
      const { received, out } = await run(['incident', ...args], { id: 'i1', version: 2, status: 'open' })
      expect(received).toEqual([`POST ${path} ${JSON.stringify(register)}`])
      expect(out).toBe('Incident i1 has version 2: open.\n')
    }
  })

  it('prints the file of the register as it came', async () => {
    const csv = 'id,organisation\r\ni1,"a\nb"\r\n'
    const { received, out } = await run(['incident', 'export', '--status', 'closed'], csv)
    expect(received).toEqual(['GET /audit/incidents?status=closed&format=csv'])
    expect(out).toBe(csv)
  })

  it('says in one sentence what went wrong', async () => {
    const refused = await run(['incident', 'export'])
    expect(refused.failure).toBe(`${refused.url} answered 404: Not found.`)
    const absent = await run(['incident', 'add', inHome('none.json')])
    expect(absent.failure).toMatch(/^The incident cannot be read from .*none\.json: /)
    expect(absent.received).toEqual([])
  })
})
