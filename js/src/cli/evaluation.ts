/** What came of an evaluation, for people and for programs. */
import { inspect, toCsv, toJson, toTable, type Comparison, type DescribedError, type Evaluation } from 'lakelet';

import type { Row } from './sets.js';
import { asJson, columns, count, duration, line, spending, stopped } from './words.js';

/** How many failures are shown. */
const SHOWN = 5;

/** An example that failed. */
export interface Failure {
  /** From 1 on. */
  readonly row: number;
  readonly error: DescribedError;
}

/** The first failures, a line each. */
export function shown(failing: readonly Failure[]): string[] {
  const lines = failing.slice(0, SHOWN).map(({ row, error }) => `row ${row} failed: ${line(error)}`);
  return failing.length > SHOWN ? [...lines, `and ${failing.length - SHOWN} more failed`] : lines;
}

/** The failures of an evaluation, in the order of the set. What a budget has left over is none. */
function failures({ results }: Evaluation<Row, Row>): Failure[] {
  return results.flatMap(({ error }, i) => (error && error.code !== 'budget' ? [{ row: i + 1, error }] : []));
}

/** The evaluation as JSON. */
export function described(evaluation: Evaluation<Row, Row>): object {
  const { score, margin, results, failed, usage, latencyMs, durationMs, stoppedBy } = evaluation;
  return {
    score, margin, examples: results.length, failed, failures: failures(evaluation).map(({ row, error }) => ({ row, ...asJson(error) })),
    usage, latencyMs, durationMs, spent: inspect(evaluation).spent, stoppedBy: asJson(stoppedBy),
  };
}

/** The evaluation in words, below its first results. */
export function summary(evaluation: Evaluation<Row, Row>, rows: number, metric: string): string {
  const { score, margin, results, failed, usage, latencyMs, durationMs, stoppedBy } = evaluation;
  const { spent } = inspect(evaluation);
  const ms = (of: number | null) => (of === null ? '-' : duration(of));
  const said: [string, string][] = [
    ['score', `${score.toFixed(2)}${margin === null ? '' : ` ± ${margin.toFixed(2)}`}`],
    ['examples', `${count(results.length)}, ${count(failed)} failed`],
    ['latency', `p50 ${ms(latencyMs.p50)}, p95 ${ms(latencyMs.p95)}, p99 ${ms(latencyMs.p99)}`],
    ['tokens', `${count(usage.totalTokens)}, ${count(usage.promptTokens)} of them in prompts`],
    ['time', duration(durationMs)],
  ];
  if (spent) said.push(['spent', spending(spent)]);
  const table = rows > 0 ? [toTable(evaluation, { rows, metric })] : [];
  return [...table, columns(said), ...shown(failures(evaluation)), ...(stoppedBy ? [stopped(stoppedBy)] : [])].join('\n');
}

/** A comparison in words. */
export function compared({ count: examples, better, worse, difference, margin, pValue }: Comparison): string {
  const by = `${difference > 0 ? '+' : ''}${difference.toFixed(2)}${margin === null ? '' : ` ± ${margin.toFixed(2)}`}`;
  return columns([
    ['difference', by],
    ['examples', `better on ${count(better)}, worse on ${count(worse)}, of ${count(examples)}`],
    ['p-value', `${pValue.toPrecision(3)}, how likely equally good programs differ so much`],
  ]);
}

/** The results of a file, by the ending of its name. */
export const written = { csv: toCsv, json: toJson };
