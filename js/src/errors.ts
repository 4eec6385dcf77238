/** What went wrong, in one word. `crashed` is the only code that the Rust core does not give itself. */
export type ErrorCode =
  | 'signature' | 'input' | 'parse' | 'code' | 'pipeline' | 'state' | 'config'
  | 'auth' | 'permission' | 'not_found' | 'bad_request' | 'context_window' | 'conflict' | 'rate_limited' | 'server'
  | 'network' | 'protocol' | 'deadline' | 'cancelled' | 'budget' | 'unsupported' | 'crashed';

/** A reply of a model that could not be read. */
export interface UnreadableReply {
  /** DSPy's name of the adapter, `ChatAdapter` for instance. */
  readonly adapter: string;
  /** `field`, `missing_fields`, `not_object` or `empty`. */
  readonly problem: string;
  /** The text that the model sent. */
  readonly text: string;
  /** The fields that could be read, when reading got that far. */
  readonly parsedFields?: readonly string[];
}

/** What a {@link LakeletError} says beside its message. */
export interface ErrorDetails {
  code: ErrorCode;
  /** What to do about it. */
  hint?: string;
  /** The step of the program where it happened. */
  step?: string;
  /** The field that it is about. */
  field?: string;
  /** The HTTP status of a service's answer. */
  status?: number;
  /** Databricks' `error_code`, `RESOURCE_DOES_NOT_EXIST` for instance. */
  errorCode?: string;
  /** The id to give to Databricks' support. */
  requestId?: string;
  /** How long the service asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /** Whether the same call may succeed when it is made again. */
  retryable?: boolean;
  reply?: UnreadableReply;
}

/**
 * The one error of this package.
 *
 * ```ts
 * try {
 *   await qa.run({ question });
 * } catch (error) {
 *   if (error instanceof LakeletError && error.retryable) again();
 * }
 * ```
 */
export class LakeletError extends Error {
  override readonly name = 'LakeletError';
  readonly code!: ErrorCode;
  readonly hint?: string;
  readonly step?: string;
  readonly field?: string;
  readonly status?: number;
  readonly errorCode?: string;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly retryable: boolean = false;
  readonly reply?: UnreadableReply;

  constructor(message: string, details: ErrorDetails, options?: ErrorOptions) {
    super(message, options);
    Object.assign(this, details);
  }
}

/**
 * The error that the core describes as JSON text. Where a function of the caller's threw it, that is the cause, or, if it was an error
 * of this package, the error itself. Anything else that was thrown comes back as it is. @internal
 */
export function readError(thrown: unknown): unknown {
  const [text, cause] = Array.isArray(thrown) ? (thrown as unknown[]) : [thrown];
  if (typeof text !== 'string') return thrown;
  if (cause instanceof LakeletError) return cause;
  const { message, ...details } = JSON.parse(text) as ErrorDetails & { message: string };
  return new LakeletError(message, details, cause === undefined ? undefined : { cause });
}
