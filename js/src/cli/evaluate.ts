/** `lakelet evaluate` */
import { parseArgs } from 'node:util';

import { evaluate, inspect, type DescribedError, type Evaluation, type EvaluationProgress } from 'lakelet';

import { number, SHARED } from './flags.js';
import { EVALUATE } from './help.js';
import { Platform } from './platform.js';
import { loadMetric, loadProgram } from './program.js';
import { duration, ProgressLine } from './progress.js';
import { inputsOfProgram, readSet, type Row } from './sets.js';
import { asJson, callOptions, columns, count, line, spending, stopped, toGoOn, type Host } from './shared.js';
import { UsageError } from './usage.js';

const FLAGS = { ...SHARED, devset: { type: 'string' } } as const;
/** How many failures are shown. */
const SHOWN = 5;

/** An example that failed. */
interface Failure {
  /** From 1 on. */
  readonly row: number;
  readonly error: DescribedError;
}

/** Evaluates a program; gives the exit code. */
export async function evaluateCommand(args: string[], host: Host): Promise<number> {
  const { values: flags, positionals: [given, ...more] } = parseArgs({ args, options: FLAGS, allowPositionals: true });
  if (flags.help) return host.print(EVALUATE), 0;
  if (given === undefined || more.length > 0) throw new UsageError('give one program: a signature, a pipeline document, or a module');
  if (flags.devset === undefined) throw new UsageError('--devset is missing: the examples to evaluate on');
  if (flags.metric === undefined) throw new UsageError('--metric is missing: how good a prediction is, answerExactMatch for instance');

  const platform = new Platform(flags);
  const [concurrency, maxErrors] = [number(flags, 'concurrency'), number(flags, 'max-errors')];
  const program = await loadProgram(given, flags.state, flags['chain-of-thought']);
  const metric = await loadMetric(flags.metric);
  const inputs = inputsOfProgram(program, flags);
  const devset = await readSet('devset', flags.devset, inputs.required, flags, platform);
  const call = await callOptions(flags, ['evaluate', given, flags.devset], platform, host);

  const progress = new ProgressLine();
  const failing: Failure[] = [];
  let last: EvaluationProgress | undefined;
  try {
    const evaluation = await evaluate(program, {
      ...call, devset, metric,
      ...(inputs.named && { inputs: inputs.named }),
      ...(concurrency !== undefined && { concurrency }),
      ...(maxErrors !== undefined && { maxErrors }),
      onProgress(now) {
        last = now;
        if (now.error) failing.push({ row: now.row + 1, error: now.error });
        progress.show(now.done, now.total ?? 0, progressText(now));
      },
    });
    progress.end();
    host.print(flags.json ? JSON.stringify(described(evaluation), null, 2) : table(evaluation));
    return 0;
  } catch (error) {
    progress.end();
    for (const failure of shown(failing)) progress.say(failure);
    if (!host.signal.aborted) throw error;
    progress.say(last ? `stopped after ${last.done} of ${last.total} examples: score ${last.score} so far, ${last.failed} failed` : 'stopped before the first example had ended');
    progress.say(toGoOn(flags));
    return 130;
  }
}

function progressText({ score, failed, perSecond, leftMs, done, total }: EvaluationProgress): string {
  const parts = [`score ${score}`, `${failed} failed`, perSecond !== null && `${perSecond.toFixed(1)}/s`, leftMs !== null && done !== total && `${duration(leftMs)} left`];
  return parts.filter(Boolean).join('  ');
}

/** The failures of an evaluation, in the order of the set. What a budget has left over is none. */
function failures({ results }: Evaluation<Row, Row>): Failure[] {
  return results.flatMap(({ error }, i) => (error && error.code !== 'budget' ? [{ row: i + 1, error }] : []));
}

/** The first failures, a line each. */
function shown(failing: readonly Failure[]): string[] {
  const lines = failing.slice(0, SHOWN).map(({ row, error }) => `row ${row} failed: ${line(error)}`);
  return failing.length > SHOWN ? [...lines, `and ${failing.length - SHOWN} more failed`] : lines;
}

function described(evaluation: Evaluation<Row, Row>): object {
  const { score, margin, results, failed, usage, latencyMs, durationMs, stoppedBy } = evaluation;
  return {
    score, margin, examples: results.length, failed,
    failures: failures(evaluation).map(({ row, error }) => ({ row, ...asJson(error) })),
    usage, latencyMs, durationMs, spent: inspect(evaluation).spent, stoppedBy: asJson(stoppedBy),
  };
}

function table(evaluation: Evaluation<Row, Row>): string {
  const { score, margin, results, failed, usage, latencyMs, durationMs, stoppedBy } = evaluation;
  const { spent } = inspect(evaluation);
  const ms = (of: number | null) => (of === null ? '-' : duration(of));
  const rows: [string, string][] = [
    ['score', `${score.toFixed(2)}${margin === null ? '' : ` ± ${margin.toFixed(2)}`}`],
    ['examples', `${count(results.length)}, ${count(failed)} failed`],
    ['latency', `p50 ${ms(latencyMs.p50)}, p95 ${ms(latencyMs.p95)}, p99 ${ms(latencyMs.p99)}`],
    ['tokens', `${count(usage.totalTokens)}, ${count(usage.promptTokens)} of them in prompts`],
    ['time', duration(durationMs)],
  ];
  if (spent) rows.push(['spent', spending(spent)]);
  return [columns(rows), ...shown(failures(evaluation)), ...(stoppedBy ? [stopped(stoppedBy)] : [])].join('\n');
}
