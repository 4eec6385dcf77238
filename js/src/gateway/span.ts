/** Records of steps, as a page may see them. */
import { LakeletError, type ErrorDetails } from '../errors.js';
import { told } from './errors.js';

interface Failing {
  readonly error?: ErrorDetails & { readonly message: string };
  readonly calls?: readonly Failing[];
}

/** The record of a step, or of a call in it, its failure in the words of an answer: the whole one names what stands behind the gateway. */
export function shown(span: Failing): object {
  const { error, calls, ...rest } = span;
  return { ...rest, ...(error && { error: inWords(error) }), ...(calls && { calls: calls.map(shown) }) };
}

function inWords({ message, ...details }: ErrorDetails & { readonly message: string }): object {
  const { code, step, field, retryable } = details;
  const failure = told(new LakeletError(message, details));
  return { message: failure.message, code, retryable, hint: failure.hint, step, field };
}
