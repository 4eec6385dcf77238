import { LakeletError, type ErrorCode } from '../errors.js';
import type { AuditLine } from '../gateway/types.js';

/** Writes an audit line to the Worker's log, where its members can be searched for. */
export function logAudit(line: AuditLine): void {
  console.log(JSON.stringify(line));
}

/** Failures whose message quotes what was asked, or what a model wrote. */
const QUOTING: readonly ErrorCode[] = ['input', 'parse', 'code'];

/** Writes a failure to the Worker's log: where it happened, and why. Contents stay out. */
export function logFailure(error: unknown, requestId: string): void {
  const described = error instanceof LakeletError ? describe(error) : { message: String(error), stack: (error as Error | undefined)?.stack };
  console.error(JSON.stringify({ request_id: requestId, ...described }));
}

function describe({ message, code, hint, step, field, status, errorCode, requestId }: LakeletError): object {
  return { code, ...(!QUOTING.includes(code) && { message, hint }), step, field, status, error_code: errorCode, databricks_request_id: requestId };
}
