/** SQL on a warehouse. */
import type { Workspace } from '../workspace.js';
import { given, operation, type ServiceCallOptions, type WaitOptions } from './module.js';

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

/** What a statement whose result is read page by page may be given. */
export interface PagesOptions extends StatementOptions {
  /** `JSON_ARRAY` unless given, which rows can be read of; `CSV` and `ARROW_STREAM` come as files. */
  readonly format?: 'JSON_ARRAY' | 'CSV' | 'ARROW_STREAM';
  /** `EXTERNAL_LINKS` unless given: from cloud storage, of any size. `INLINE`: through the workspace, up to 25 MiB. */
  readonly disposition?: 'EXTERNAL_LINKS' | 'INLINE';
}

/** What a workspace tells of a SQL warehouse, by the names of the REST API. */
export interface WarehouseInfo {
  readonly id: string;
  readonly name: string;
  readonly state: 'STARTING' | 'RUNNING' | 'STOPPING' | 'STOPPED' | 'DELETING' | 'DELETED';
  readonly [member: string]: unknown;
}

/**
 * A SQL warehouse ([Statement Execution API](https://docs.databricks.com/api/workspace/statementexecution)).
 *
 * ```ts
 * const warehouse = new Warehouse(workspace);
 * const { records } = await warehouse.execute('SELECT id, name FROM main.rag.docs WHERE lang = :lang', { parameters: { lang: 'en' } });
 * for await (const page of await warehouse.open('SELECT * FROM main.rag.logs')) console.log(page.records.length);
 * ```
 */
export class Warehouse {
  readonly #workspace: Workspace;
  readonly id: string;

  /** @param id `DATABRICKS_WAREHOUSE_ID` of the environment unless given. */
  constructor(workspace: Workspace, id = fromEnvironment() ?? '') {
    this.#workspace = workspace;
    this.id = id;
  }

  /** The SQL warehouses that the caller may use. */
  static list(workspace: Workspace, options?: ServiceCallOptions): Promise<WarehouseInfo[]> {
    return operation(workspace, 'sql.warehouses', {}, options);
  }

  /** What the workspace tells of it. */
  describe(options?: ServiceCallOptions): Promise<WarehouseInfo> {
    return this.#call('describe', {}, options);
  }

  /** Starts it, and waits until it runs. A statement starts it as well. */
  start(options?: WaitOptions): Promise<WarehouseInfo> {
    return this.#call('start', {}, options);
  }

  /** Stops it, and waits until it has stopped. */
  stop(options?: WaitOptions): Promise<WarehouseInfo> {
    return this.#call('stop', {}, options);
  }

  /**
   * Runs a statement to its end and reads all of its rows. One that does not end in time is cancelled; one that is given up by `signal` goes on
   * in the warehouse.
   *
   * @throws `LakeletError` with the engine's message when the statement fails: `not_found`, `permission` or `bad_request`.
   */
  execute(statement: string, options: StatementOptions & WaitOptions = {}): Promise<SqlResult> {
    return this.#call('execute', body(statement, given(options)), options);
  }

  /**
   * Runs a statement to its end, for a result of any size: its pages are fetched one at a time, while they are iterated over.
   *
   * They lie in cloud storage, which a page reaches only where the storage allows its origin (CORS).
   */
  async open(statement: string, options: PagesOptions & WaitOptions = {}): Promise<SqlPages> {
    const opened = await this.#call<Opened>('open', body(statement, given(options)), options);
    const { signal } = options;
    return new SqlPages(opened, (name, args) => this.#call(name, args, signal && { signal }));
  }

  /** Submits a statement and does not wait for it; gives its id. */
  async submit(statement: string, options: StatementOptions & ServiceCallOptions = {}): Promise<string> {
    const answer = await this.#call<{ statement_id: string }>('submit', { wait_timeout: '0s', ...body(statement, given(options)) }, options);
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

interface Opened {
  readonly statement_id: string;
  readonly columns: readonly SqlColumn[];
  readonly total_row_count: number | null;
  readonly total_chunk_count: number | null;
  readonly truncated: boolean;
}

/** The result of a statement, page by page. It can be read for an hour. Made by {@link Warehouse.open}. */
export class SqlPages implements AsyncIterable<SqlResult> {
  readonly #call: <T>(name: string, args: Readonly<Record<string, unknown>>) => Promise<T>;
  readonly statementId: string;
  readonly columns: readonly SqlColumn[];
  /** How many rows there are in all pages. */
  readonly totalRows: number;
  /** How many pages there are. */
  readonly length: number;
  /** There were more rows than a limit let through. */
  readonly truncated: boolean;

  /** @internal */
  constructor(opened: Opened, call: <T>(name: string, args: Readonly<Record<string, unknown>>) => Promise<T>) {
    this.#call = call;
    this.statementId = opened.statement_id;
    this.columns = opened.columns;
    this.totalRows = opened.total_row_count ?? 0;
    this.length = opened.total_chunk_count ?? 0;
    this.truncated = opened.truncated;
  }

  /** One page, from 0 on. */
  async page(index: number): Promise<SqlResult> {
    return { ...(await this.#call<SqlResult>('page', { ...this.#at(index), columns: this.columns })), truncated: this.truncated };
  }

  /** One page as a file of the format that was asked for. In CSV the first has a header, and `null` stands for NULL. */
  file(index: number): Promise<Uint8Array> {
    return this.#call('file', this.#at(index));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SqlResult> {
    for (let index = 0; index < this.length; index++) yield await this.page(index);
  }

  #at(index: number): Readonly<Record<string, unknown>> {
    return { statement_id: this.statementId, chunk_index: index };
  }
}

function fromEnvironment(): string | undefined {
  const { process } = globalThis as { readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> } };
  return process?.env?.['DATABRICKS_WAREHOUSE_ID'];
}

function body(statement: string, { parameters, ...options }: StatementOptions): Record<string, unknown> {
  return { statement, ...options, parameters: parameters && Object.entries(parameters).map(([name, value]) => parameter(name, value)) };
}

function parameter(name: string, value: SqlValue): Record<string, unknown> {
  if (value === null) return { name };
  switch (typeof value) {
    case 'object':
      return { name, type: value.type, value: value.value };
    case 'number':
      return { name, type: Number.isSafeInteger(value) ? 'BIGINT' : 'DOUBLE', value: String(value) };
    case 'boolean':
      return { name, type: 'BOOLEAN', value: String(value) };
    default:
      return { name, value };
  }
}
