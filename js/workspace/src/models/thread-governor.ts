import { availableParallelism, cpus } from "node:os";
import type { Llama } from "node-llama-cpp";

/** Time between two looks at the load, in milliseconds. */
const INTERVAL = 500;
/** The part of a core that others may use while it still counts as free. */
const TOLERANCE = 0.25;

interface Sample {
  time: number;
  /** Milliseconds of processor time since the start, of the whole machine and of this process. */
  all: number;
  own: number;
}

/**
 * Lets llama.cpp use the cores that other programs leave free, and one at least.
 *
 * Its threads wait for each other by spinning, hundreds of times a token. Two threads on two idle cores are twice as
 * fast as one (84 against 43 prompt tokens a second), but with a browser or a build beside them they become a hundred
 * times slower than one, because each waits for a partner that is not running.
 */
export class ThreadGovernor {
  readonly #llama: Llama;
  #last: Sample = sample();

  constructor(llama: Llama) {
    this.#llama = llama;
  }

  /** Looks at the load since the last look, if that is long enough ago. */
  adjust(): void {
    const elapsed = performance.now() - this.#last.time;
    if (elapsed < INTERVAL) return;
    const now = sample();
    const others = Math.max(0, now.all - this.#last.all - (now.own - this.#last.own)) / elapsed;
    this.#last = now;
    const cores = availableParallelism();
    this.#llama.maxThreads = Math.min(cores, Math.max(1, Math.floor(cores - others + TOLERANCE)));
  }
}

function sample(): Sample {
  const { user, system } = process.cpuUsage();
  const all = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { time: performance.now(), all, own: (user + system) / 1000 };
}
