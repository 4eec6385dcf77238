/** What of a program is logged: its document, and what it has learned. */
import { Asking, type AskingKind } from '../asking.js';
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

/** DSPy's names of the classes. */
const CLASSES: Readonly<Record<AskingKind, string>> = {
  predict: 'Predict', chainOfThought: 'ChainOfThought', multiChainComparison: 'MultiChainComparison', react: 'ReAct', reactV2: 'ReActV2',
};

/** What a program has learned as parameters, as MLflow's autolog names them: `ChainOfThought.predict.signature.instructions`. */
export function parameters(program: Program<never, object>): Record<string, unknown> {
  const name = program instanceof Asking ? CLASSES[program.kind] : program instanceof Pipeline ? program.name : program.constructor.name;
  return Object.fromEntries(leaves(name, JSON.parse(program.save())));
}

const LEFT_OUT = ['metadata', 'lm', 'traces', 'train'];

function* leaves(path: string, value: unknown): Iterable<[path: string, leaf: unknown]> {
  if (typeof value === 'boolean') yield [path, value ? 'True' : 'False']; // as Python writes them
  else if (typeof value !== 'object') yield [path, value];
  else for (const [name, part] of Object.entries(value ?? {})) if (!LEFT_OUT.includes(name)) yield* leaves(`${path}.${name}`, part);
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
