/** Examples in tables of text. */
import Papa from 'papaparse';

import { Shape, type ExampleOptions } from './examples.js';
import { text, type ExampleSource } from './source.js';

/** How a table is read. */
export interface CsvOptions extends ExampleOptions {
  /** What stands between values; `,` unless given. */
  readonly delimiter?: string;
}

/**
 * Reads CSV ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)), whose first line names the columns. Every value is a text, as it stands there; an
 * empty one is no value of a field that is required. Lines without text are passed over.
 *
 * ```ts
 * const devset = await fromCsv<{ question: string; answer: string }>(file, { requires: ['question', 'answer'] });
 * ```
 *
 * @throws `LakeletError` `input` for a quote without an end, for a row that has more or fewer values than there are columns or lacks a field, for
 * a column that is there twice, and when there are no rows.
 */
export async function fromCsv<R extends object = Record<string, string>>(source: ExampleSource, options: CsvOptions = {}): Promise<R[]> {
  const { delimiter = ',', ...given } = options;
  const shape = new Shape<R>(given, (value) => value !== '');
  const { data, errors: [problem] } = Papa.parse<string[]>(await text(source, shape.name), { delimiter, skipEmptyLines: true });
  const [columns = [], ...rows] = data;
  const about = (row: number) => (row === 0 ? `the first line of ${shape.name}` : shape.at({ row }));
  if (problem) throw shape.error(`${about(problem.row ?? 0)} cannot be read: ${problem.message}`, { hint: 'put values with quotes, delimiters or line ends in quotes, and write a quote in them twice' });
  const twice = columns.find((name, i) => columns.indexOf(name) < i);
  if (twice !== undefined) throw shape.error(`${shape.name} has two columns \`${twice}\``, { field: twice, hint: 'rename one' });
  if (rows.length === 0) throw shape.empty();
  return rows.map((values, i) => {
    const place = { row: i + 1 };
    if (values.length !== columns.length) {
      throw shape.error(`${shape.at(place)} has ${values.length} values for ${columns.length} columns`, { hint: 'put values that hold a delimiter in quotes' });
    }
    return shape.example(Object.fromEntries(columns.map((name, column) => [name, values[column]])), place);
  });
}
