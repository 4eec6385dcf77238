/** How far the work is, in one line. */

/** What a line is written to: the error output of the process. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR = 20;
/** The line on a terminal is drawn no more often than this. */
const REDRAWN_MS = 100;
/** Elsewhere there is a line no more often than this. */
const TOLD_MS = 5000;

/** A line on a terminal that is drawn anew; elsewhere a line from time to time, and one at the end. */
export class ProgressLine {
  readonly #to: Output;
  #shownMs = Date.now();
  #isDrawn = false;

  constructor(to: Output = process.stderr) {
    this.#to = to;
  }

  /** Shows how far the work is. */
  show(done: number, total: number, rest: string): void {
    const { isTTY = false, columns } = this.#to;
    const share = total > 0 ? Math.min(done / total, 1) : 0;
    if (share < 1 && Date.now() - this.#shownMs < (isTTY ? REDRAWN_MS : TOLD_MS)) return;
    const line = `${bar(share)} ${done}/${total}${rest && `  ${rest}`}`;
    this.#shownMs = Date.now();
    this.#isDrawn = isTTY;
    this.#to.write(isTTY ? `\r${line.slice(0, (columns || 80) - 1)}\u001b[K` : `${line}\n`);
  }

  /** Says something that stays. */
  say(line: string): void {
    this.#to.write(`${this.#isDrawn ? '\r\u001b[K' : ''}${line}\n`);
    this.#isDrawn = false;
  }

  /** Leaves what is drawn as it is. */
  end(): void {
    if (this.#isDrawn) this.#to.write('\n');
    this.#isDrawn = false;
  }
}

function bar(share: number): string {
  const full = Math.round(share * BAR);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`;
}
