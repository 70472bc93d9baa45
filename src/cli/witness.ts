/** `dossier witness`: watches logs for another organisation, and vouches that they only grow. */
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { messageOf } from '../local/failure.ts'
import { policyLines, startWitness, type Witness } from '../local/witness/start.ts'

interface WitnessCommandOptions {
  readonly home: string
  readonly name: string
  readonly host: string
  readonly port: number
  readonly url?: string
  readonly log?: readonly string[]
  readonly logsFrom?: string
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

export function witnessCommand(): Command {
  return new Command('witness')
    .description('run a witness of transparency logs (C2SP tlog-witness)')
    .requiredOption('--home <folder>', 'its keys and its memory; made at the first start')
    .requiredOption('--name <name>', 'name of its keys, for good, e.g. witness.example.org/w1')
    .option('--log <vkey...>', 'keys of the logs to watch; remembered')
    .option('--logs-from <url>', 'a record whose logs are taken on trust where they are not known yet')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on', readPort, 8788)
    .option('--url <url>', 'address at which logs reach it, where a proxy stands before it')
    .action(runWitness)
}

/** Resolves when it serves; the process then lives until a signal, or until it cannot store what it signs. */
async function runWitness(options: WitnessCommandOptions): Promise<void> {
  const { home, name, host, port, url, log, logsFrom } = options
  const witness = await startWitness({
    home: resolve(home),
    name,
    host,
    port,
    onMessage: say,
    onStorageFailure: (error) => {
      process.stderr.write(`The witness cannot store what it signs, and ends: ${messageOf(error)}\n`)
      process.exitCode = 1
      // The answer under way still leaves.
      setImmediate(() => process.exit())
    },
    ...(url !== undefined && { publicUrl: url }),
    ...(log !== undefined && { logs: log }),
    ...(logsFrom !== undefined && { logsFrom }),
  })
  for (const line of policyLines(name, witness)) say(line)
  stopOnSignals(witness)
  say(`ready ${witness.url}`)
}

function stopOnSignals(witness: Witness): void {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, async () => {
      if (stopping) return
      stopping = true
      await witness.stop()
      process.exit(0)
    })
  }
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It is a number from 0 to 65535.')
  return port
}
