/** `lakelet evaluate` */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { compare, evaluate, type Evaluation, type EvaluationProgress } from 'lakelet';

import { compared, described, shown, summary, written, type Failure } from './evaluation.js';
import { number, SHARED } from './flags.js';
import { EVALUATE } from './help.js';
import { Platform } from './platform.js';
import { isState, loadMetric, loadProgram, withState, type AnyProgram } from './program.js';
import { ProgressLine } from './progress.js';
import { inputsOfProgram, readSet, type Row } from './sets.js';
import { callOptions, ended, type Host } from './shared.js';
import { intoFolder, UsageError } from './usage.js';
import { duration } from './words.js';

const FLAGS = {
  ...SHARED,
  devset: { type: 'string' },
  compare: { type: 'string' },
  'display-table': { type: 'string' },
  'save-as-csv': { type: 'string' },
  'save-as-json': { type: 'string' },
} as const;

/** Evaluates a program, or two; gives the exit code. */
export async function evaluateCommand(args: string[], host: Host): Promise<number> {
  const { values: flags, positionals: [given, ...more] } = parseArgs({ args, options: FLAGS, allowPositionals: true });
  if (flags.help) return host.print(EVALUATE), 0;
  if (given === undefined || more.length > 0) throw new UsageError('give one program: a signature, a pipeline document, or a module');
  const { devset: set, metric: judge, state, compare: other, 'chain-of-thought': reasons } = flags;
  if (set === undefined) throw new UsageError('--devset is missing: the examples to evaluate on');
  if (judge === undefined) throw new UsageError('--metric is missing: how good a prediction is, answerExactMatch for instance');
  for (const form of ['csv', 'json'] as const) intoFolder(`save-as-${form}`, flags[`save-as-${form}`]);

  const platform = new Platform(flags);
  const [concurrency, maxErrors, rows = 0] = [number(flags, 'concurrency'), number(flags, 'max-errors'), number(flags, 'display-table')];
  const program = await loadProgram(given, state, reasons);
  const second = other === undefined ? undefined : await (isState(other) ? withState(program, other) : loadProgram(other, undefined));
  const metric = await loadMetric(judge);
  const inputs = inputsOfProgram(program, flags);
  const devset = await readSet('devset', set, inputs.required, flags, platform);
  const how = {
    devset, metric,
    ...(inputs.named && { inputs: inputs.named }),
    ...(concurrency !== undefined && { concurrency }),
    ...(maxErrors !== undefined && { maxErrors }),
  };
  const evaluated = async (of: AnyProgram, name: string) => {
    const call = await callOptions(flags, ['evaluate', given, name, set], platform, host);
    return watched((onProgress) => evaluate(of, { ...call, ...how, onProgress }));
  };

  const evaluation = await evaluated(program, given);
  const column = judge.replace(/.*[\\/]|\.m?js$/g, '');
  for (const form of ['csv', 'json'] as const) {
    const file = flags[`save-as-${form}`];
    if (file !== undefined) writeFileSync(file, written[form](evaluation, { metric: column }));
  }
  if (!flags.json) host.print(summary(evaluation, rows, column));
  if (!second || host.signal.aborted) {
    if (flags.json) host.print(JSON.stringify(described(evaluation), null, 2));
    return ended(flags, host);
  }
  if (!flags.json) host.print(`\n${other}`);
  const rival = await evaluated(second, other as string);
  const comparison = compare(evaluation, rival);
  if (flags.json) host.print(JSON.stringify({ ...described(evaluation), other: described(rival), comparison }, null, 2));
  else host.print(`${summary(rival, rows, column)}\n\n${compared(comparison)}`);
  return ended(flags, host);
}

/** An evaluation with its progress. */
async function watched(begin: (onProgress: (progress: EvaluationProgress) => void) => Promise<Evaluation<Row, Row>>): Promise<Evaluation<Row, Row>> {
  const progress = new ProgressLine();
  const failing: Failure[] = [];
  try {
    const evaluation = await begin((now) => {
      if (now.error) failing.push({ row: now.row + 1, error: now.error });
      progress.show(now.done, now.total ?? 0, progressText(now));
    });
    progress.end();
    return evaluation;
  } catch (error) {
    progress.end();
    for (const failure of shown(failing)) progress.say(failure);
    throw error;
  }
}

function progressText({ score, failed, perSecond, leftMs, done, total }: EvaluationProgress): string {
  const parts = [`score ${score}`, `${failed} failed`, perSecond !== null && `${perSecond.toFixed(1)}/s`, leftMs !== null && done !== total && `${duration(leftMs)} left`];
  return parts.filter(Boolean).join('  ');
}
