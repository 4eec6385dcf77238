/** Examples in a table. */
import type { WaitOptions } from '../databricks/module.js';
import type { PagesOptions, Warehouse } from '../databricks/sql.js';
import { LakeletError } from '../errors.js';
import { chosen, Shape, type ExampleOptions } from './examples.js';

/** What is read of a table. */
export interface TableOptions extends Omit<ExampleOptions, 'name'>, WaitOptions, Pick<PagesOptions, 'disposition'> {
  /** At most so many rows. */
  readonly limit?: number;
}

/**
 * Reads the rows of a table or view of a workspace page by page, as examples: no more than one page is held. For conditions, samples and
 * expressions there is `examples` of {@link DistributedDataProcessor}.
 *
 * ```ts
 * const devset = await collect(fromTable(new Warehouse(workspace), 'main.qa.labelled', { fields: ['question', 'answer'], limit: 200 }));
 * ```
 *
 * @param table `catalog.schema.table`; a part that holds a dot is given in backticks. `fields` name columns of it.
 * @throws `LakeletError` `input` for a name that is none, for a row that lacks a field, and when there are no rows; what the engine says.
 */
export async function* fromTable<R extends object = Record<string, unknown>>(warehouse: Warehouse, table: string, options: TableOptions = {}): AsyncGenerator<R> {
  const { fields, requires, limit, ...wait } = options;
  const columns = fields ? chosen(fields).map(([field, column]) => `${quoted(column)} AS ${quoted(field)}`).join(', ') : '*';
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new LakeletError(`limit: ${limit} is no number of rows`, { code: 'input', field: 'limit', hint: 'give a whole number from 1 on' });
  }
  const shape = new Shape<R>({ name: table, ...(requires && { requires }) });
  const pages = await warehouse.open(`SELECT ${columns} FROM ${path(table)}${limit === undefined ? '' : ` LIMIT ${limit}`}`, wait);
  let row = 0;
  for await (const { records } of pages) for (const record of records) yield shape.example(record, { row: ++row });
  if (row === 0) throw shape.empty();
}

/** A name as SQL reads it, whatever it holds. */
function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** The quoted path of a table. */
function path(table: string): string {
  const part = /`((?:[^`]|``)+)`|([^.`]+)/.source;
  const [, ...parts] = new RegExp(`^(?:${part})\\.(?:${part})\\.(?:${part})$`).exec(table) ?? [];
  const names = [0, 2, 4].map((i) => parts[i]?.replaceAll('``', '`') ?? parts[i + 1]);
  if (names.includes(undefined)) {
    throw new LakeletError(`'${table}' names no table`, { code: 'input', field: 'table', hint: 'give catalog.schema.table, a part that holds a dot in backticks: main.default.`a.b`' });
  }
  return (names as string[]).map(quoted).join('.');
}
