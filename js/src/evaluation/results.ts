/** The results of an evaluation as DSPy's `Evaluate` shows and writes them. */
import { calling } from '../core.js';
import type { Evaluation, EvaluationRow, Score } from '../evaluate.js';
import { float } from '../types.js';
import { write } from '../values.js';

type Results = Pick<Evaluation<object, object>, 'results'>;
type Row = EvaluationRow<object, object>;
type Fields = Readonly<Record<string, unknown>>;

/** How results are written. */
export interface ResultsOptions {
  /** The name of the column of scores, in DSPy that of the metric: `answer_exact_match`; `score` unless given. */
  readonly metric?: string;
}

/** How many results are shown, and how. */
export interface TableOptions extends ResultsOptions {
  /** The first so many; all unless given. */
  readonly rows?: number;
}

/**
 * The results as CSV, as DSPy's `save_as_csv` writes them: the fields of the example, those of the prediction, and the score. A field that both
 * have is there as `example_answer` and as `pred_answer`.
 *
 * ```ts
 * await writeFile('results.csv', toCsv(await evaluate(qa, { devset, metric })));
 * ```
 *
 * It is what DSPy writes, byte for byte, but for whole numbers that are floats in Python: in JavaScript they are no others. An example that failed
 * has nothing in the columns of the prediction, where DSPy refuses to write the file.
 */
export function toCsv({ results }: Results, { metric = 'score' }: ResultsOptions = {}): string {
  const { columns, records } = tabled(results, metric);
  const lines = records.map((record) => columns.map((column) => record[column] ?? null));
  return [columns, ...lines].map((values) => written('csv', { values })).join('');
}

/** The results as JSON, as DSPy's `save_as_json` writes them: a list with a record of each example. */
export function toJson({ results }: Results, { metric = 'score' }: ResultsOptions = {}): string {
  const points = scores(results);
  const records = results.map((row, i) => ({ ...merged(row, Object.keys(row.example), Object.keys(row.prediction ?? {})), [metric]: points[i] }));
  return `[${records.map((record) => written('json', record)).join(', ')}]`;
}

/**
 * The results as a table for a terminal, as DSPy's `display_table` shows them, and why examples failed, if any did. Of a text it has the first 25
 * words, and at most 50 letters.
 */
export function toTable({ results }: Results, { metric = 'score', rows = results.length }: TableOptions = {}): string {
  const { columns, records } = tabled(results, metric);
  const shown = results.slice(0, rows);
  const lines = shown.map(({ error }, i) => {
    const record = records[i] ?? {};
    const cells = texts(columns.map((column) => record[column] ?? '')).map(cut);
    return [...cells.with(columns.indexOf(metric), ticked(record[metric])), cut(error?.message ?? '')];
  });
  const table = [[...columns, 'error'], ...lines].map((cells, i) => [i > 0 ? String(i - 1) : '', ...cells]);
  const left = results.length - shown.length;
  return grid(shown.some(({ error }) => error) ? table : table.map((cells) => cells.slice(0, -1))) + (left > 0 ? `... ${left} more rows not displayed ...\n` : '');
}

/** What the core makes of a record in the way of Python. */
function written(form: 'csv' | 'json' | 'texts', record: Fields): string {
  return calling((core) => core.written(form, write(record, 'a result')));
}

function texts(values: readonly unknown[]): string[] {
  return JSON.parse(written('texts', { values })) as string[];
}

/** Results as records of the same fields: an example that failed lacks those of the prediction. */
function tabled(results: readonly Row[], metric: string): { readonly columns: readonly string[]; readonly records: readonly Fields[] } {
  const names = (part: (row: Row) => object | null) => [...new Set(results.flatMap((row) => Object.keys(part(row) ?? {})))];
  const [given, predicted] = [names(({ example }) => example), names(({ prediction }) => prediction)];
  const points = scores(results);
  const records = results.map((row, i) => ({ ...merged(row, given, predicted), [metric]: points[i] }));
  const all = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));
  const columns = Object.keys({ ...merged({ example: all(given), prediction: all(predicted) }, given, predicted), [metric]: null });
  return { columns, records };
}

/** DSPy's `merge_dicts`, of fields with these names. */
function merged({ example, prediction }: Pick<Row, 'example' | 'prediction'>, given: readonly string[], predicted: readonly string[]): Fields {
  const named = (fields: object, others: readonly string[], prefix: string) =>
    Object.entries(fields).map(([name, field]) => [others.includes(name) ? prefix + name : name, field] as const);
  return Object.fromEntries([...named(example, predicted, 'example_'), ...named(prediction ?? {}, given, 'pred_')]);
}

/** The scores, as floats where not all are whole: a metric that gives fractions gives floats in Python. So does what failed. */
function scores(results: readonly Row[]): Score[] {
  const isFloat = results.some(({ score }) => typeof score === 'number' && !Number.isInteger(score));
  return results.map(({ score, error }) => (typeof score === 'number' && (isFloat || error) ? float(score) : score));
}

/** The cell of a score: DSPy's `stylize_metric_name`. */
function ticked(score: unknown): string {
  return `✔️ [${score instanceof Number ? score.toFixed(3) : texts([score]).join('')}]`;
}

/** The first 25 words, and at most 50 letters, on one line. */
function cut(text: string): string {
  const words = text.split(/\s+/).filter(Boolean);
  const letters = [...(words.length > 25 ? `${words.slice(0, 25).join(' ')}...` : text)];
  const short = letters.length > 50 ? `${letters.slice(0, 47).join('')}...` : letters.join('');
  return short.replace(/[\n\r\t]/g, (space) => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[space] ?? space);
}

/** Lines of cells below each other, as pandas shows a frame: to the right, but for the first ones. */
function grid(lines: readonly (readonly string[])[]): string {
  const width = (text: string) => [...text].length;
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((cells) => width(cells[i] ?? ''))));
  const padded = (cell: string, i: number) => (i > 0 ? cell.padStart((widths[i] ?? 0) + cell.length - width(cell)) : cell.padEnd(widths[i] ?? 0));
  return lines.map((cells) => `${cells.map(padded).join('  ')}\n`).join('');
}
