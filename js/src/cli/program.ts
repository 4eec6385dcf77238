/** Programs and metrics, as they are named on the command line. */
import { existsSync, readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import {
  answerExactMatch, answerPassageMatch, chainOfThought, completeAndGrounded, init, LakeletError, pipeline, predict, Program, semanticF1, type Metric,
} from 'lakelet';

import { offer, UsageError } from './usage.js';

/** Any program. */
export type AnyProgram = Program<Record<string, unknown>, Record<string, unknown>>;

/** Any metric. */
export type AnyMetric = Metric<Record<string, unknown>, Record<string, unknown>>;

const SCRIPTS = ['.js', '.mjs'];

/** The metrics of the package that judge an example and a prediction, by their names here and in DSPy. */
const METRICS: Readonly<Record<string, () => AnyMetric>> = {
  answerExactMatch: () => answerExactMatch,
  answer_exact_match: () => answerExactMatch,
  answerPassageMatch: () => answerPassageMatch,
  answer_passage_match: () => answerPassageMatch,
  semanticF1: () => semanticF1() as AnyMetric,
  SemanticF1: () => semanticF1() as AnyMetric,
  completeAndGrounded: () => completeAndGrounded() as AnyMetric,
  CompleteAndGrounded: () => completeAndGrounded() as AnyMetric,
};

/**
 * The program that a text names: a signature, the file of a pipeline document, or a module whose default export is a program; with the state that
 * DSPy or Lakelet saved.
 */
export async function loadProgram(given: string, state: string | undefined, reasons = false): Promise<AnyProgram> {
  await init();
  const program = await named(given, reasons);
  return state === undefined ? program : withState(program, state);
}

/** A program like this one, with the state of a file: what a module exports stays as it is, for who else loads it. */
export function withState(program: AnyProgram, path: string): AnyProgram {
  const copy = program.deepcopy();
  copy.load(readText(path));
  return copy;
}

/** The metric that a text names: one of the package, or the default export of a module. */
export async function loadMetric(given: string): Promise<AnyMetric> {
  if (Object.hasOwn(METRICS, given)) return (METRICS[given] as () => AnyMetric)();
  if (!SCRIPTS.includes(extname(given))) {
    throw new UsageError(`--metric: there is no metric '${given}'; ${offer(given, Object.keys(METRICS))}, or give the file of a module (.mjs) whose default export is one`);
  }
  const metric = await exported(given);
  if (typeof metric === 'function' || metric instanceof Program) return metric as AnyMetric;
  throw new UsageError(`--metric: the default export of ${given} is neither a function nor a program of this package; write export default (example, prediction) => score`);
}

/** Whether a file holds the state of a program, and no program. */
export function isState(path: string): boolean {
  return extname(path) === '.json' && existsSync(path) && !Object.hasOwn(document(path), 'lakelet');
}

/** The text of a file. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code})`);
  }
}

async function named(given: string, reasons: boolean): Promise<AnyProgram> {
  if (given.includes('->')) return (reasons ? chainOfThought(given) : predict(given)) as AnyProgram;
  if (reasons) throw new UsageError('--chain-of-thought is for a signature: it makes a program of it that reasons first');
  if (SCRIPTS.includes(extname(given))) {
    const program = await exported(given);
    if (program instanceof Program) return program;
    throw new UsageError(`the default export of ${given} is no program of this package; write export default new MyProgram(), with what this very installation of lakelet exports`);
  }
  if (isState(given)) throw new UsageError(`${given} is no pipeline document; when it is the state of a program, give the program and --state ${given}`);
  return pipeline(readText(given));
}

function document(path: string): object {
  try {
    const read: unknown = JSON.parse(readText(path));
    if (typeof read === 'object' && read !== null) return read;
  } catch (error) {
    if (error instanceof UsageError) throw error;
  }
  throw new UsageError(`${path} holds no JSON object`);
}

async function exported(path: string): Promise<unknown> {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`);
  try {
    return ((await import(pathToFileURL(resolve(path)).href)) as { default?: unknown }).default;
  } catch (cause) {
    throw new LakeletError(`${path} cannot be loaded: ${(cause as Error).message}`, { code: 'code', hint: 'run it with node to see where' }, { cause });
  }
}
