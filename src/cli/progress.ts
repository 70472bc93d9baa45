/** Progress on stderr: a bar where somebody watches, plain lines where it is a file or a pipe. */
import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  /** One more step of `total` is done. */
  step(line: string): void
  /** Leaves the cursor on a fresh line. */
  end(): void
}

/** @param unit what is counted, e.g. `files` */
export function startProgress(
  total: number,
  unit: string,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  if (!stream.isTTY) {
    let done = 0
    return {
      step: (line) => {
        done++
        stream.write(`${done}/${total} ${line}\n`)
      },
      end: () => {},
    }
  }
  const bar = new SingleBar(
    { stream, format: `{bar} {value}/{total} ${unit}  {line}`, hideCursor: true, linewrap: false },
    Presets.shades_classic,
  )
  bar.start(total, 0, { line: '' })
  return {
    step: (line) => bar.increment({ line }),
    end: () => bar.stop(),
  }
}
