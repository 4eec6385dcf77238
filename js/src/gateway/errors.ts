import { LakeletError, type ErrorCode } from '../errors.js';

/** An error that a page is told as it is. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  /** Headers that the answer needs beside the body, `retry-after` for instance. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param status HTTP status of the answer
   * @param code as Databricks names it: `INVALID_PARAMETER_VALUE`, `PERMISSION_DENIED` ...
   */
  constructor(status: number, code: string, message: string, hint?: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.headers = headers;
  }

  /** The body that pages read. */
  body(requestId: string): Record<string, string> {
    return { error_code: this.code, message: this.message, ...(this.hint && { hint: this.hint }), request_id: requestId };
  }
}

export const invalid = (message: string, hint?: string) => new GatewayError(400, 'INVALID_PARAMETER_VALUE', message, hint);
export const denied = (message: string, hint?: string) => new GatewayError(403, 'PERMISSION_DENIED', message, hint);
export const unknownRoute = () =>
  new GatewayError(404, 'ENDPOINT_NOT_FOUND', 'The gateway has nothing at this address.', 'GET /programs lists the programs that it runs.');
export const unauthenticated = () =>
  new GatewayError(401, 'UNAUTHENTICATED', 'The gateway does not know who asks.', 'Sign in and try again.');
export const cancelled = () => new GatewayError(499, 'CANCELLED', 'The caller went away.');
export const timedOut = (ms: number) =>
  new GatewayError(504, 'DEADLINE_EXCEEDED', `There was no complete answer within ${ms / 1000} s.`, 'Try again, or ask for less at a time.');

const ASK_THE_OPERATOR = 'Whoever runs this gateway finds the reason in its log, by the request id.';

const FAILURES: Partial<Record<ErrorCode, [status: number, code: string, message: string, hint: string]>> = {
  auth: [502, 'BACKEND_AUTHENTICATION', 'The gateway could not sign in to its workspace.', ASK_THE_OPERATOR],
  permission: [502, 'BACKEND_PERMISSION', 'The gateway may not use a part of its workspace that this needs.', ASK_THE_OPERATOR],
  not_found: [502, 'BACKEND_NOT_FOUND', 'The model or the index that this needs is not there.', `Its name in the gateway's configuration may be wrong. ${ASK_THE_OPERATOR}`],
  context_window: [400, 'CONTEXT_WINDOW_EXCEEDED', 'The question and what belongs to it are longer than the model takes.', 'Ask for less at a time.'],
  rate_limited: [429, 'REQUEST_LIMIT_EXCEEDED', 'The workspace is busy.', 'Try again in a moment.'],
  server: [502, 'BACKEND_ERROR', 'The workspace failed.', `Try again in a moment. ${ASK_THE_OPERATOR}`],
  network: [502, 'BACKEND_UNREACHABLE', 'The gateway cannot reach its workspace.', `Try again in a moment. ${ASK_THE_OPERATOR}`],
  protocol: [502, 'BACKEND_ERROR', 'The workspace gave an answer that could not be read.', `Try again. ${ASK_THE_OPERATOR}`],
  parse: [502, 'UNREADABLE_REPLY', 'The model gave an answer that could not be read.', 'Try again, or put the question in other words.'],
  code: [502, 'FAILING_CODE', 'The model wrote code that does not run.', 'Try again, or put the question in other words.'],
  deadline: [504, 'DEADLINE_EXCEEDED', 'There was no complete answer in time.', 'Try again, or ask for less at a time.'],
  cancelled: [499, 'CANCELLED', 'The call was stopped.', 'Try again.'],
};

/** What a page is told of any failure: inputs are named, everything behind the gateway is described in general words. */
export function told(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof LakeletError) {
    if (error.code === 'input') return invalid(error.message, error.hint);
    const failure = FAILURES[error.code];
    const wait = error.code === 'rate_limited' ? { 'retry-after': String(Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000))) } : {};
    if (failure) return new GatewayError(...failure, wait);
  }
  return new GatewayError(500, 'INTERNAL_ERROR', 'The gateway failed.', ASK_THE_OPERATOR);
}
