/** Progress of something long, in twentieths of it. */
import { startProgress } from '../src/cli/progress.ts'

const steps = 20

export interface Steps {
  reach(done: number): void
  end(): void
}

/** @param line what is done */
export function stepsOf(total: number, line: string): Steps {
  const progress = startProgress(steps, 'steps')
  let reached = 0
  return {
    reach: (done) => {
      for (; reached < steps && done >= (total * (reached + 1)) / steps; reached++) progress.step(line)
    },
    end: () => progress.end(),
  }
}
