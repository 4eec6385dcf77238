/** DSPy's metrics: how good a prediction is. */
import { Fixed, type PredictOptions } from './asking.js';
import { calling } from './core.js';
import type { Program } from './program.js';
import { inspect } from './run.js';
import { write } from './values.js';

function measured<T>(name: string, given: Readonly<Record<string, unknown>>): T {
  return JSON.parse(calling((core) => core.measure(name, write(given)))) as T;
}

/**
 * Whether `answer` of the prediction is one of the example's; with `frac` below 1, whether its F1 is at least that. A trace, which optimizers
 * give in the place of the options, changes nothing.
 */
export function answerExactMatch(example: object, prediction: object, options: { readonly frac?: number } | readonly unknown[] = {}): boolean {
  return measured('answerExactMatch', { example, prediction, ...('length' in options ? {} : options) });
}

/** Whether a passage in `context` of the prediction holds an answer of the example. */
export function answerPassageMatch(example: object, prediction: object): boolean {
  return measured('answerPassageMatch', { example, prediction });
}

/** Whether a text is one of the answers, both normalised. */
export function exactMatch(prediction: string, answers: readonly string[]): boolean {
  return measured('exactMatch', { prediction, answers });
}

/** The F1 of the words of a text, by the answer that it fits best. */
export function f1(prediction: string, answers: readonly string[]): number {
  return measured('f1', { prediction, answers });
}

/** The F1 as HotPotQA has it, where yes, no and noanswer fit nothing but themselves. */
export function hotPotF1(prediction: string, answers: readonly string[]): number {
  return measured('hotPotF1', { prediction, answers });
}

/** The share of a text's words that the answer has. */
export function precisionScore(prediction: string, answer: string): number {
  return measured('precisionScore', { prediction, answer });
}

/** A text as metrics compare it: lower case, without punctuation, articles and extra space. */
export function normalizeText(text: string): string {
  return measured('normalizeText', { text });
}

/**
 * The completion with the most frequent value of a field, the last one unless `field` names another: of a list, or of a
 * prediction that was asked for with `n`.
 *
 * ```ts
 * const { answer } = majority(await predict('question -> answer', { config: { n: 5 } }).run({ question }));
 * ```
 */
export function majority<O extends object>(completions: O | readonly O[], options: { readonly field?: string } = {}): O {
  const all = Array.isArray(completions) ? completions : [completions, ...inspect(completions).others];
  return measured('majority', { completions: all, ...options });
}

/** What a judge can be told. */
export interface JudgeOptions extends Omit<PredictOptions, 'instructions' | 'types' | 'demos'> {
  /** The score from which on a prediction counts as good when it is asked with a `trace`; 0.66 unless given. */
  readonly threshold?: number;
}

/** What a judge is given. `trace` asks whether the score reaches the threshold. */
export interface Judged<P> {
  readonly example: { readonly question: string; readonly response: string };
  readonly pred: P;
  readonly trace?: unknown;
}

/** A model's judgement of how well a response covers the ground truth and is covered by it: DSPy's `SemanticF1`. */
export function semanticF1(options: JudgeOptions & { readonly decompositional?: boolean } = {}): Program<Judged<{ readonly response: string }>, { score: number | boolean }> {
  return new Fixed('semanticF1', { ...options });
}

/** A model's judgement of how complete a response is, and how well the context supports it: DSPy's `CompleteAndGrounded`. */
export function completeAndGrounded(options: JudgeOptions = {}): Program<Judged<{ readonly response: string; readonly context: unknown }>, { score: number | boolean }> {
  return new Fixed('completeAndGrounded', { ...options });
}
