/** Training sets made where the data is, and predictors over whole tables. */
import type { Predictor } from '../predict.js';
import type { Workspace } from '../workspace.js';
import { operation, type ServiceCallOptions, type WaitOptions } from './module.js';
import type { FileSource, DataOutput, Selection } from './selection.js';
import { Warehouse, type SqlValue } from './sql.js';
import { TableAnswers } from './table-answers.js';

/** A statement and its parameters, as the Statement Execution API takes them. */
export interface SelectionQuery {
  readonly statement: string;
  readonly parameters: readonly { readonly name: string; readonly type: string; readonly value: string }[];
}

/** An example of a training set: values by field. */
export type TrainingExample = Record<string, unknown>;

/** How a predictor is asked over a table. */
export interface AiQueryOptions extends Selection, WaitOptions {
  /** The serving endpoint of the model. */
  readonly endpoint: string;
  /**
   * What `ai_query` is given: `text`, unless given, is all messages below each other, which is what it takes for Foundation Model APIs and external
   * models; `messages` keeps them apart with their roles, for a custom model or an agent that takes them.
   */
  readonly request?: 'text' | 'messages';
  /** Where the rows are written, with the replies: for more rows than are asked for at one sitting. */
  readonly output?: DataOutput;
}

/** Where a statement is run as a job. */
export interface JobOptions extends ServiceCallOptions {
  /** The Python file that is written to the workspace, and stays: `/Users/me@example.com/training-set.py`. Its folder has to be there. */
  readonly path: string;
  /** `training-set` unless given. */
  readonly runName?: string;
  /** What it runs on, by the names of the Jobs API: `existing_cluster_id`, `new_cluster`. Serverless compute unless given. */
  readonly compute?: Readonly<Record<string, unknown>>;
}

/**
 * Makes training sets by SQL on a warehouse, as `DistributedDataProcessor` of Databricks' case study does by a Spark session of its own.
 *
 * ```ts
 * const processor = new DistributedDataProcessor(workspace);
 * const diagnostics = await processor.processLspDiagnostics('bigquery.replit.lsp_diagnostics');
 * const trainset = await processor.createTrainingDataset(diagnostics, { table: 'main.repair.trainset' });
 * for await (const example of processor.examples(trainset)) console.log(example['error_message']);
 * ```
 */
export class DistributedDataProcessor {
  readonly #workspace: Workspace;
  readonly #warehouse: Warehouse;

  /** @param warehouseId `DATABRICKS_WAREHOUSE_ID` of the environment unless given. */
  constructor(workspace: Workspace, warehouseId?: string) {
    this.#workspace = workspace;
    this.#warehouse = new Warehouse(workspace, warehouseId);
  }

  /**
   * Diagnostics of language servers that have no repair yet and are not about style (`E501`, `I001`): `file_path`, `message`, `code`,
   * `error_line` and `content`.
   *
   * @param options `withoutCode`: what becomes of diagnostics that have no code; they are dropped unless they are to be kept.
   */
  processLspDiagnostics(diagnostics: string | FileSource | Selection, options: { readonly withoutCode?: 'keep' | 'drop' } = {}): Promise<Selection> {
    return this.#call('lsp_diagnostics', { from: diagnostics, keep_without_code: options.withoutCode === 'keep' });
  }

  /**
   * Writes the examples of diagnostics, `code_file`, `error_line` and `error_message` (`F401: unused import`), and gives what was written, to be
   * read.
   *
   * @param processed what {@link processLspDiagnostics} gave, or rows with the same fields.
   */
  async createTrainingDataset(processed: Selection, output: DataOutput, options?: WaitOptions): Promise<Selection> {
    return this.write(await this.#call<Selection>('training_dataset', { selection: processed }), output, options);
  }

  /** The statement of a selection, for a look at it or for another engine. */
  async query(selection: Selection): Promise<SelectionQuery> {
    const { statement, parameters } = await this.#call<SelectionQuery>('query', { selection });
    return { statement, parameters };
  }

  /**
   * The examples of a selection, read page by page: no more than one page is held.
   *
   * @throws `LakeletError` `input` at the member of the selection that cannot be right; what the engine says of the statement.
   */
  async *examples<R extends object = TrainingExample>(selection: Selection, options?: WaitOptions): AsyncGenerator<R> {
    const pages = await this.#warehouse.open(...opening(await this.query(selection), options));
    for await (const page of pages) yield* page.records as readonly R[];
  }

  /** Writes the examples of a selection, and gives what was written, to be read. */
  write(selection: Selection, output: DataOutput, options?: WaitOptions): Promise<Selection> {
    return this.#call('write', { selection, output }, options);
  }

  /** Writes the examples of a selection by a job on Spark; gives the id of its run, and what will have been written when it has ended. */
  async submit(selection: Selection, output: DataOutput, options: JobOptions): Promise<{ readonly runId: number; readonly selection: Selection }> {
    const { path, runName = 'training-set', compute, signal } = options;
    const args = { selection, output, path, run_name: runName, compute };
    const started = await this.#call<{ run_id: number; selection: Selection }>('submit', args, { signal } as ServiceCallOptions);
    return { runId: started.run_id, selection: started.selection };
  }

  /**
   * Asks a predictor for every row, on the engine that holds the data: its adapter writes the messages, the engine puts the columns into them
   * and asks the model by [`ai_query`](https://docs.databricks.com/sql/language-manual/functions/ai_query), and the adapter reads the replies.
   * The model gets what `predictor.run` would send for the row: as one text, or as messages ({@link AiQueryOptions.request}).
   *
   * ```ts
   * const answers = await processor.aiQuery(chainOfThought('question -> answer'), {
   *   from: 'main.qa.questions', fields: { id: 'id', question: 'question', answer: 'gold' },
   *   endpoint: 'databricks-meta-llama-3-3-70b-instruct', output: { table: 'main.qa.answers' },
   * });
   * for await (const { example, prediction, error } of answers) console.log(example['id'], prediction?.answer ?? error);
   * ```
   *
   * @param options the rows, whose `fields` hold the predictor's inputs by name, and what is wanted beside the predictions.
   * @throws `LakeletError` `input` at an input that no field gives or whose type prompts have no form for; `unsupported` for a predictor that
   * needs more than texts: pictures, turns of a conversation, several completions.
   */
  async aiQuery<I extends object, O extends object>(predictor: Predictor<I, O>, options: AiQueryOptions): Promise<TableAnswers<O>> {
    const { endpoint, request, output, signal, timeout, onProgress, ...selection } = options;
    const wait = { signal, timeout, onProgress } as WaitOptions;
    const template = await predictor.template();
    const asked = await this.#call<SelectionQuery & { selection?: Selection }>('ask', { selection, template, endpoint, request, output }, wait);
    const open = (query: SelectionQuery = asked) => this.#warehouse.open(...opening(query, wait));
    // Without a table it is opening that asks the model: once.
    const opened = asked.selection ? undefined : await open();
    const pages = (query?: SelectionQuery) => (opened ? Promise.resolve(opened) : open(query));
    return new TableAnswers({ predictor, template, selection: asked.selection, pages, call: (name, args, given) => this.#call(name, args, given) });
  }

  #call<T>(name: string, args: Readonly<Record<string, unknown>>, options?: WaitOptions): Promise<T> {
    return operation<T>(this.#workspace, `data.${name}`, { warehouse_id: this.#warehouse.id, ...args }, options);
  }
}

/** What a warehouse opens. */
function opening({ statement, parameters }: SelectionQuery, options?: WaitOptions): [string, WaitOptions & { readonly parameters: Readonly<Record<string, SqlValue>> }] {
  return [statement, { ...options, parameters: Object.fromEntries(parameters.map(({ name, type, value }) => [name, { type, value }])) }];
}
