import { cancelled, GatewayError, timedOut, told } from './errors.js';
import type { GatewayOptions } from './types.js';
import type { Tokens } from './programs.js';

/** One call of a page, from its arrival to the end of its answer. */
export class Call {
  readonly id: string = crypto.randomUUID();
  /** Ends when the caller goes away, or the time is over. */
  readonly signal: AbortSignal;
  readonly tokens: Tokens = { prompt_tokens: 0, completion_tokens: 0 };
  /** What the audit line says was called. */
  route: string;
  /** What the audit line says about who called. */
  user: string | undefined;
  #started = new Date();
  #ended = false;
  #gone = new AbortController();
  #timer: AbortSignal;
  #timeoutMs: number;
  #options: GatewayOptions;

  constructor(request: Request, timeoutMs: number, options: GatewayOptions) {
    this.route = request.method;
    this.#timeoutMs = timeoutMs;
    this.#options = options;
    this.#timer = AbortSignal.timeout(timeoutMs);
    this.signal = AbortSignal.any([request.signal, this.#gone.signal, this.#timer]);
  }

  /** The caller reads no further. */
  leave(): void {
    this.#gone.abort();
    this.end(200, cancelled());
  }

  /** What a page is told of a failure; the operator is told in full. */
  failed(error: unknown): GatewayError {
    if (this.#timer.aborted) return timedOut(this.#timeoutMs);
    if (this.signal.aborted) return cancelled();
    if (!(error instanceof GatewayError)) this.#options.report?.(error, this.id);
    return told(error);
  }

  /** Writes the audit line, once. */
  end(status: number, error?: GatewayError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.audit?.({
      time: this.#started.toISOString(),
      request_id: this.id,
      ...(this.user !== undefined && { user: this.user }),
      route: this.route,
      status,
      ...(error && { error_code: error.code }),
      ms: Date.now() - this.#started.getTime(),
      ...(this.tokens.prompt_tokens > 0 && this.tokens),
    });
  }

  /** Waits for work, and no longer than the caller does or may; work that does not look at the signal must not hold the call. */
  async within<T>(work: Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    let stop: (() => void) | undefined;
    try {
      return await Promise.race([
        work,
        new Promise<never>((_, reject) => {
          stop = () => reject(this.signal.reason as Error);
          this.signal.addEventListener('abort', stop);
        }),
      ]);
    } finally {
      if (stop) this.signal.removeEventListener('abort', stop);
    }
  }
}
