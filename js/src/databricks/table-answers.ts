/** What a predictor answered to the rows of a table. */
import { LakeletError } from '../errors.js';
import type { Score } from '../evaluate.js';
import type { DescribedError } from '../events.js';
import type { Predictor } from '../predict.js';
import type { WaitOptions } from './module.js';
import type { SelectionQuery, TrainingExample } from './data.js';
import type { Selection } from './selection.js';
import type { SqlPages } from './sql.js';

/** The answer to one row. */
export interface TableAnswer<O extends object> {
  /** The fields of the row. */
  readonly example: TrainingExample;
  /** `null` when there is none. */
  readonly prediction: O | null;
  /** Why there is none: the model did not answer, its reply cannot be read, or an input cannot be shown. */
  readonly error?: LakeletError;
}

/** How well a predictor did on a table. */
export interface TableEvaluation {
  /** The mean score in percent, rounded to two digits as Python rounds. A row without a prediction counts 0. */
  readonly score: number;
  /** With 95 % confidence the score on all such rows is at most so much higher or lower, in percent; `null` for a single row. */
  readonly margin: number | null;
  readonly rows: number;
  /** How many rows have no prediction, or one that the metric cannot score. */
  readonly failed: number;
  /** How many rows were scored by the engine, and never left it. */
  readonly onEngine: number;
}

type Call = <T>(name: string, args: Readonly<Record<string, unknown>>, options?: WaitOptions) => Promise<T>;

interface Parts<O extends object> {
  readonly predictor: Pick<Predictor<never, O>, 'readReply'>;
  readonly template: unknown;
  readonly selection: Selection | undefined;
  readonly pages: (query?: SelectionQuery) => Promise<SqlPages>;
  readonly call: Call;
}

type Replied = { readonly example: TrainingExample } & ({ readonly reply: string } | { readonly error: DescribedError });

/**
 * The answers of a predictor to the rows of a table, read page by page. Made by `aiQuery`. What fails of a row ends nothing.
 *
 * Without an `output` they can be read for an hour; what was written to one, whenever it is wanted.
 */
export class TableAnswers<O extends object> implements AsyncIterable<TableAnswer<O>> {
  readonly #parts: Parts<O>;

  /** @internal */
  constructor(parts: Parts<O>) {
    this.#parts = parts;
  }

  /** The rows that were written, without the replies. */
  get selection(): Selection | undefined {
    return this.#parts.selection;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TableAnswer<O>> {
    yield* this.#read(await this.#parts.pages());
  }

  async *#read(pages: SqlPages): AsyncGenerator<TableAnswer<O>> {
    const { call, predictor } = this.#parts;
    for (let page = 0; page < pages.length; page++) {
      const rows = await call<Replied[]>('replies', { statement_id: pages.statementId, columns: pages.columns, chunk_index: page });
      for (const row of rows) yield answer(row, predictor);
    }
  }

  /**
   * Scores every answer, as `evaluate` of `lakelet` does, and holds no more than a page.
   *
   * @param metric how good a prediction is. One that throws counts as an error, and the row as failed.
   */
  async evaluate(metric: (example: TrainingExample, prediction: O) => Score | Promise<Score>): Promise<TableEvaluation> {
    const tally = new Tally();
    for await (const answer of this) await tally.score(answer, metric);
    return tally.told();
  }

  /**
   * Counts the answers that are an exact match, as `answerExactMatch` has it: on the engine, as far as SQL can tell for certain, and by reading
   * what is left, replies in disorder and texts beyond ASCII.
   *
   * @param options `output`: the output that is compared, `answer` unless given; `wanted`: the field of the rows with the text that is wanted.
   * @throws `LakeletError` `unsupported` where SQL can tell nothing: of replies that another adapter than `chat` reads, and where an output is
   * no `str`. Then {@link evaluate}.
   */
  async exactMatch(options: { readonly wanted: string; readonly output?: string }, wait?: WaitOptions): Promise<TableEvaluation> {
    const { call, template, selection, pages } = this.#parts;
    const { wanted, output = 'answer' } = options;
    if (!selection) {
      throw new LakeletError('there is no table to count in', { code: 'config', field: 'output', hint: "ask with an output: { output: { table: 'main.qa.answers' } }" });
    }
    const { exactMatch } = await import('../metrics.js');
    const args = { selection, template, output_field: output, wanted };
    const { counted, ...rest } = await call<SelectionQuery & { counted: { rows: number; decided: number; right: number } }>('exact_matches', args, wait);
    const tally = new Tally(counted.decided, counted.right);
    const metric = (example: TrainingExample, prediction: O) =>
      exactMatch((prediction as Record<string, string>)[output] ?? '', [example[wanted] as string]);
    if (counted.decided < counted.rows) {
      for await (const answer of this.#read(await pages(rest))) await tally.score(answer, metric);
    }
    return tally.told();
  }
}

function answer<O extends object>(row: Replied, predictor: Parts<O>['predictor']): TableAnswer<O> {
  const { example } = row;
  if ('error' in row) return { example, prediction: null, error: new LakeletError(row.error.message, row.error) };
  try {
    return { example, prediction: predictor.readReply(row.reply) };
  } catch (error) {
    if (error instanceof LakeletError) return { example, prediction: null, error };
    throw error;
  }
}

/** Scores as they come: their number, mean and spread. */
class Tally {
  readonly #onEngine: number;
  #rows: number;
  #sum: number;
  /** Of the squares of the distances from the mean. */
  #squares: number;
  #failed = 0;

  constructor(rows = 0, right = 0) {
    this.#onEngine = this.#rows = rows;
    this.#sum = right;
    this.#squares = rows && (right * (rows - right)) / rows;
  }

  async score<O extends object>({ example, prediction }: TableAnswer<O>, metric: (example: TrainingExample, prediction: O) => Score | Promise<Score>): Promise<void> {
    let points = 0;
    try {
      if (prediction === null) this.#failed++;
      else points = Number(await metric(example, prediction));
    } catch {
      this.#failed++;
    }
    const away = points - (this.#rows && this.#sum / this.#rows);
    this.#sum += points;
    this.#rows++;
    this.#squares += away * (points - this.#sum / this.#rows);
  }

  told(): TableEvaluation {
    const rows = this.#rows;
    const margin = rows > 1 ? rounded(196 * Math.sqrt(this.#squares / (rows - 1) / rows)) : null;
    return { score: rounded((100 * this.#sum) / rows), margin, rows, failed: this.#failed, onEngine: this.#onEngine };
  }
}

/** Python's `round(number, 2)`: of two that are as near, the even one. */
function rounded(number: number): number {
  const isBetween = Number.isInteger(number * 8) && (number * 8) % 2 !== 0;
  return isBetween ? (2 * Math.round(number * 50)) / 100 : Number(number.toFixed(2));
}
