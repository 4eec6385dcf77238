/** Examples from files, streams and tables, as DSPy's `DataLoader` reads them. */
export { fromCsv, type CsvOptions } from './csv.js';
export type { ExampleOptions } from './examples.js';
export { fromJson, fromJsonLines } from './json.js';
export type { ExampleSource } from './source.js';
export { fromTable, type TableOptions } from './table.js';

/**
 * What comes one by one as a list, for `evaluate` and optimizers.
 *
 * ```ts
 * const devset = await collect(fromJsonLines(await fetch('dev.jsonl')));
 * ```
 */
export async function collect<R>(examples: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = [];
  for await (const example of examples) all.push(example);
  return all;
}
