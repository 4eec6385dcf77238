/** SQL on a warehouse. */
import type { Workspace } from '../workspace.js';
import { operation, type ServiceCallOptions, type WaitOptions } from './module.js';

/** A value of a named parameter (`:name`): a text, a number, a boolean, `null`, or a text with the SQL type that it is read as. */
export type SqlValue = string | number | boolean | null | { readonly value: string | null; readonly type: string };

/** What a statement may be given, by the names of the REST API. */
export interface StatementOptions {
  readonly parameters?: Readonly<Record<string, SqlValue>>;
  readonly catalog?: string;
  readonly schema?: string;
  readonly row_limit?: number;
  readonly byte_limit?: number;
}

/** A column of a result. */
export interface SqlColumn {
  readonly name: string;
  /** `LONG`, `STRING`, `ARRAY` ... */
  readonly type_name: string;
  /** `BIGINT`, `STRING`, `ARRAY<STRING>` ... */
  readonly type_text: string;
}

/** The rows of a statement. */
export interface SqlResult {
  readonly columns: readonly SqlColumn[];
  /** As the API sends them: every value is a text or `null`. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** By column, read by the column's type; decimals, dates and times stay texts. */
  readonly records: readonly Readonly<Record<string, unknown>>[];
  /** There were more rows than a limit let through. */
  readonly truncated: boolean;
}

/**
 * A SQL warehouse ([Statement Execution API](https://docs.databricks.com/api/workspace/statementexecution)).
 *
 * ```ts
 * const warehouse = new Warehouse(workspace, process.env.DATABRICKS_WAREHOUSE_ID);
 * const { records } = await warehouse.execute('SELECT id, name FROM main.rag.docs WHERE lang = :lang', { parameters: { lang: 'en' } });
 * ```
 */
export class Warehouse {
  readonly #workspace: Workspace;
  readonly id: string;

  constructor(workspace: Workspace, id: string) {
    this.#workspace = workspace;
    this.id = id;
  }

  /**
   * Runs a statement to its end and reads all of its rows. One that does not end in time is cancelled.
   *
   * @throws `LakeletError` with the engine's message when the statement fails: `not_found`, `permission` or `bad_request`.
   */
  execute(statement: string, options: StatementOptions & WaitOptions = {}): Promise<SqlResult> {
    const { signal, timeout, onProgress, ...given } = options;
    return this.#call('execute', body(statement, given), { signal, timeout, onProgress } as WaitOptions);
  }

  /** Submits a statement and does not wait for it; gives its id. */
  async submit(statement: string, options: StatementOptions & ServiceCallOptions = {}): Promise<string> {
    const { signal, ...given } = options;
    const answer = await this.#call<{ statement_id: string }>('submit', { wait_timeout: '0s', ...body(statement, given) }, { signal } as ServiceCallOptions);
    return answer.statement_id;
  }

  /** A statement's state and, when it has succeeded, its result, as the API gives it. */
  statement(id: string, options?: ServiceCallOptions): Promise<Record<string, unknown>> {
    return this.#call('get', { statement_id: id }, options);
  }

  /** Ends a statement. */
  async cancel(id: string, options?: ServiceCallOptions): Promise<void> {
    await this.#call('cancel', { statement_id: id }, options);
  }

  #call<T>(name: string, args: Readonly<Record<string, unknown>>, options?: WaitOptions): Promise<T> {
    return operation<T>(this.#workspace, `sql.${name}`, { warehouse_id: this.id, ...args }, options);
  }
}

function body(statement: string, { parameters, ...options }: StatementOptions): Record<string, unknown> {
  return { statement, ...options, parameters: parameters && Object.entries(parameters).map(([name, value]) => parameter(name, value)) };
}

function parameter(name: string, given: SqlValue): Record<string, unknown> {
  if (given === null) return { name };
  switch (typeof given) {
    case 'object':
      return { name, type: given.type, value: given.value };
    case 'number':
      return { name, type: Number.isSafeInteger(given) ? 'BIGINT' : 'DOUBLE', value: String(given) };
    case 'boolean':
      return { name, type: 'BOOLEAN', value: String(given) };
    default:
      return { name, value: given };
  }
}
