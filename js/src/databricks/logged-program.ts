/** What of a program is logged: its document, and what it has learned. */
import { Pipeline } from '../pipeline.js';
import { Predictor } from '../predict.js';
import type { Program } from '../program.js';

/** A program as the operations of MLflow take it: a document, a predictor by its signature, or a class, of which no more than its parts is known. */
export type Logged = { /** The state, as DSPy saves it. */ readonly state: unknown } & (
  | { readonly document: Readonly<Record<string, unknown>> }
  | { readonly name: string; readonly kind: 'predict' | 'chain_of_thought'; readonly signature: object }
  | { readonly document: { readonly name: string; readonly modules: readonly object[] }; readonly isClass: true }
);

/** The program for an operation. */
export function logged(program: Program<never, object>): Logged {
  const state: unknown = JSON.parse(program.save());
  if (program instanceof Pipeline) {
    const { text, changes } = (program as Pipeline).source;
    return { document: merged(JSON.parse(text), changes === undefined ? {} : JSON.parse(changes)) as Record<string, unknown>, state };
  }
  if (program instanceof Predictor && (program.kind === 'predict' || program.kind === 'chainOfThought')) {
    const { instructions, fields } = program.signature;
    const kind = program.kind === 'predict' ? 'predict' : 'chain_of_thought';
    return { name: kind, kind, signature: { instructions, fields }, state };
  }
  const modules = [...program.namedSubModules()].map(([path, part]) => ({ path, class: part.constructor.name }));
  return { document: { name: program.constructor.name, modules }, isClass: true, state };
}

/** A JSON merge patch (RFC 7396): objects are merged, `null` removes, anything else replaces. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
