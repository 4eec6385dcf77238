/** Examples, as they are named on the command line. */
import { createReadStream, existsSync } from 'node:fs';
import { basename, extname } from 'node:path';

import { Pipeline, Predictor } from 'lakelet';
import { collect, fromCsv, fromJson, fromJsonLines, fromTable } from 'lakelet/data';
import { Warehouse } from 'lakelet/databricks';

import { fields, names, number, type SharedFlags } from './flags.js';
import type { Platform } from './platform.js';
import type { AnyProgram } from './program.js';
import { UsageError } from './usage.js';

/** An example. */
export type Row = Record<string, unknown>;

const FILES = ['.json', '.jsonl', '.ndjson', '.csv', '.tsv'];

/** The fields of an example that a program is given: `named` where flags say so, else it tells them itself. */
export function inputsOfProgram(program: AnyProgram, flags: SharedFlags): { readonly required: readonly string[]; readonly named?: string[] } {
  const named = names(flags.inputs);
  const required = named ?? inputsOf(program);
  if (required) return { required, ...(named && { named }) };
  throw new UsageError('the program does not tell which fields of an example it is given: name them with --inputs question,context');
}

function inputsOf(program: AnyProgram): string[] | undefined {
  if (program instanceof Pipeline) return program.inputs.filter(({ required }) => required).map(({ name }) => name);
  if (program instanceof Predictor) return program.signature.fields.filter(({ io }) => io === 'input').map(({ name }) => name);
  return undefined;
}

/**
 * Reads a set: a file, or a table of the workspace.
 *
 * @param flag the flag that names it
 * @param requires what the program is given of each example
 */
export async function readSet(flag: string, given: string, requires: readonly string[], flags: SharedFlags, platform: Platform): Promise<Row[]> {
  const chosen = fields(flags.fields);
  const limit = number(flags, 'limit');
  const taken = { requires, ...(chosen && { fields: chosen }) };
  if (FILES.includes(extname(given))) {
    if (!existsSync(given)) throw new UsageError(`--${flag}: there is no file ${given}`);
    return (await readFile(given, { ...taken, name: basename(given) })).slice(0, limit);
  }
  if (!/^[^./]+(\.[^./]+){2}$|`/.test(given)) throw new UsageError(`--${flag} takes a file (${FILES.join(', ')}) or a table catalog.schema.table, not '${given}'`);
  const { workspace, warehouseId } = await platform.workspace;
  const warehouse = new Warehouse(workspace, flags.warehouse ?? warehouseId);
  return collect(fromTable<Row>(warehouse, given, { ...taken, ...(limit !== undefined && { limit }) }));
}

function readFile(path: string, options: { readonly requires: readonly string[]; readonly fields?: Record<string, string>; readonly name: string }): Promise<Row[]> {
  const source = createReadStream(path);
  switch (extname(path)) {
    case '.json':
      return fromJson(source, options);
    case '.csv':
      return fromCsv(source, options);
    case '.tsv':
      return fromCsv(source, { ...options, delimiter: '\t' });
    default:
      return collect(fromJsonLines(source, options));
  }
}
