/** Numbers and errors in words. */
import type { DescribedError, LakeletError, Spent } from 'lakelet';

/** What was spent, in words. */
export function spending({ calls, tokens, dollars }: Spent): string {
  return `${count(calls)} calls, ${count(tokens)} tokens${dollars > 0 ? `, $${dollars.toFixed(4)}` : ''}`;
}

/** A line that says why it ended before its end. */
export function stopped(by: LakeletError): string {
  return `ended early: ${firstLine(by)}`;
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

/** A duration in words: `350 ms`, `12 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
