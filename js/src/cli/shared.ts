/** What both commands begin and end with. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';

import type { CallOptions, DescribedError, LakeletError, Spent } from 'lakelet';
import { FolderStore } from 'lakelet/node';

import { budget, type SharedFlags } from './flags.js';
import type { Platform } from './platform.js';

/** Where results go, and who ends the work early. */
export interface Host {
  /** Writes a line of the result. */
  readonly print: (line: string) => void;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What flags say of a call: the model, what may be spent, and where answers are written down. */
export async function callOptions(flags: SharedFlags, work: readonly unknown[], platform: Platform, { signal }: Host): Promise<CallOptions> {
  const limits = budget(flags);
  const { checkpoint } = flags;
  return {
    ...(await platform.models()),
    signal,
    ...(limits && { budget: limits }),
    ...(checkpoint !== undefined && { checkpoint: { store: new FolderStore(resolve(checkpoint)), job: job(flags, work) } }),
  };
}

/** Tells the work apart from other work in the folder. What may be spent and how many calls are under way at once are no part of it. */
function job({ state, inputs, metric, fields, limit, model, 'model-option': option }: SharedFlags, work: readonly unknown[]): string {
  const all = [work, state, inputs, metric, fields, limit, model, option];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

/** How to go on with work that was stopped. */
export function toGoOn({ checkpoint }: SharedFlags): string {
  return checkpoint === undefined
    ? 'with --checkpoint FOLDER it could have gone on from here'
    : `the same command goes on from here: what was answered is kept in ${checkpoint}`;
}

/** What was spent, in words. */
export function spending({ calls, tokens, dollars }: Spent): string {
  return `${count(calls)} calls, ${count(tokens)} tokens${dollars > 0 ? `, $${dollars.toFixed(4)}` : ''}`;
}

/** A line that says that the budget is spent. */
export function stopped(by: LakeletError): string {
  return `stopped by the budget: ${firstLine(by)}`;
}

/** A number with its thousands apart. */
export const count = (of: number): string => of.toLocaleString('en-US');

/** Rows of two columns. */
export function columns(rows: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, text]) => `${name.padEnd(width)}${text}`).join('\n');
}

/** An error in one line. */
export function line(error: { readonly message: string; readonly hint?: string }): string {
  const first = firstLine(error);
  return error.hint === undefined ? first : `${first} (${error.hint.split('\n')[0]})`;
}

/** What an error says first; its hint may follow. */
export function firstLine({ message }: { readonly message: string }): string {
  return message.split('\n')[0] as string;
}

/** An error as it is written in JSON. */
export function asJson(error: DescribedError): { readonly code: string; readonly message: string };
export function asJson(error: DescribedError | null): { readonly code: string; readonly message: string } | null;
export function asJson(error: DescribedError | null): object | null {
  return error && { code: error.code, message: firstLine(error) };
}
