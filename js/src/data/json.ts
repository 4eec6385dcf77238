/** Examples in JSON, and in lines of JSON. */
import { Shape, type ExampleOptions } from './examples.js';
import { lines, text, type ExampleSource } from './source.js';

/**
 * Reads a JSON array of objects.
 *
 * ```ts
 * const devset = await fromJson<{ question: string; answer: string }>(await fetch('dev.json'), { fields: { question: 'prompt', answer: 'gold' } });
 * ```
 *
 * @throws `LakeletError` `input` for what is no JSON, for a row that lacks a field, naming both, and when there are no rows.
 */
export async function fromJson<R extends object = Record<string, unknown>>(source: ExampleSource, options: ExampleOptions = {}): Promise<R[]> {
  const shape = new Shape<R>(options);
  const rows = parsed(await text(source, shape.name), shape);
  if (!Array.isArray(rows)) throw shape.error(`${shape.name} is no list`, { hint: 'give a JSON array of objects; lines of JSON are read by fromJsonLines()' });
  if (rows.length === 0) throw shape.empty();
  return rows.map((row, i) => shape.example(row, { row: i + 1 }));
}

/**
 * Reads lines of JSON, each an object, one at a time: no more is held than the line that is read. Lines without text are passed over.
 *
 * ```ts
 * for await (const example of fromJsonLines(file.stream(), { requires: ['question'] })) console.log(example['question']);
 * ```
 *
 * @throws `LakeletError` `input` for a line that is no JSON, for a row that lacks a field, naming row, line and field, and when there are no rows.
 */
export async function* fromJsonLines<R extends object = Record<string, unknown>>(source: ExampleSource, options: ExampleOptions = {}): AsyncGenerator<R> {
  const shape = new Shape<R>(options);
  let line = 0, row = 0;
  for await (const json of lines(source, shape.name)) {
    line++;
    if (json.trim() === '') continue;
    const place = { row: ++row, line };
    yield shape.example(parsed(json, shape, `line ${line} of ${shape.name}`), place);
  }
  if (row === 0) throw shape.empty();
}

function parsed(json: string, shape: Shape<object>, what = shape.name): unknown {
  if (json.trim() === '') throw shape.empty();
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw shape.error(`${what} is no JSON: ${(cause as Error).message}`, { hint: 'correct what is told' }, cause);
  }
}
