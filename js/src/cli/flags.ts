/** The flags of the command line. */
import type { Budget } from 'lakelet';

import { UsageError } from './usage.js';

/** Flags of both commands, as `parseArgs` takes them. */
export const SHARED = {
  state: { type: 'string' },
  'chain-of-thought': { type: 'boolean' },
  inputs: { type: 'string' },
  metric: { type: 'string' },
  fields: { type: 'string' },
  limit: { type: 'string' },
  model: { type: 'string', multiple: true },
  'model-option': { type: 'string', multiple: true },
  profile: { type: 'string' },
  warehouse: { type: 'string' },
  concurrency: { type: 'string' },
  'max-errors': { type: 'string' },
  checkpoint: { type: 'string' },
  'budget-calls': { type: 'string' },
  'budget-tokens': { type: 'string' },
  'budget-dollars': { type: 'string' },
  'budget-seconds': { type: 'string' },
  price: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** What was given of {@link SHARED}. */
export interface SharedFlags {
  readonly state?: string;
  readonly 'chain-of-thought'?: boolean;
  readonly inputs?: string;
  readonly metric?: string;
  readonly fields?: string;
  readonly limit?: string;
  readonly model?: string[];
  readonly 'model-option'?: string[];
  readonly profile?: string;
  readonly warehouse?: string;
  readonly concurrency?: string;
  readonly 'max-errors'?: string;
  readonly checkpoint?: string;
  readonly 'budget-calls'?: string;
  readonly 'budget-tokens'?: string;
  readonly 'budget-dollars'?: string;
  readonly 'budget-seconds'?: string;
  readonly price?: string[];
  readonly json?: boolean;
  readonly help?: boolean;
}

/** A number above 0, a whole one unless `fraction`. */
export function number<F extends object>(flags: F, name: keyof F & string, fraction = false): number | undefined {
  const text = flags[name] as string | undefined;
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && (fraction ? Number.isFinite(value) : Number.isSafeInteger(value))) return value;
  throw new UsageError(`--${name} takes a ${fraction ? '' : 'whole '}number above 0, not '${text}'`);
}

/** Names that commas part. */
export function names(text: string | undefined): string[] | undefined {
  return text?.split(',').map((name) => name.trim()).filter((name) => name !== '');
}

/** The fields to take of a set: `question,answer`, or `question=prompt,answer=gold` to rename them. */
export function fields(text: string | undefined): Record<string, string> | undefined {
  return text === undefined ? undefined : Object.fromEntries((names(text) ?? []).map((part) => {
    const [field = '', from = field] = part.split('=');
    return [field, from];
  }));
}

/** `key=value` as members of an object, in which dots lead further. A value is JSON, or else a text. */
export function options(flag: string, given: readonly string[] = [], spelled = (name: string) => name): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const text of given) {
    const place = text.indexOf('=');
    const path = text.slice(0, Math.max(place, 0)).split('.').map((name) => spelled(name.trim()));
    if (path.includes('')) throw new UsageError(`--${flag} takes NAME=VALUE, not '${text}'`);
    const last = path.pop() as string;
    let into = all;
    for (const name of path) {
      const inner = into[name] ?? {};
      if (typeof inner !== 'object') throw new UsageError(`--${flag} ${text}: '${name}' was given a value before`);
      into = into[name] = inner as Record<string, unknown>;
    }
    into[last] = value(text.slice(place + 1));
  }
  return all;
}

/** What may be spent. */
export function budget(flags: SharedFlags): Budget {
  const limits = {
    calls: number(flags, 'budget-calls'),
    tokens: number(flags, 'budget-tokens'),
    dollars: number(flags, 'budget-dollars', true),
    seconds: number(flags, 'budget-seconds', true),
    prices: flags.price && Object.fromEntries(flags.price.map(price)),
  };
  if (limits.dollars !== undefined && !limits.prices) throw new UsageError('--budget-dollars needs --price MODEL=INPUT,OUTPUT: what a million tokens cost');
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

function price(text: string): [model: string, price: { input: number; output: number }] {
  const [, model = '', input, output] = /^(.+)=([\d.]+),([\d.]+)$/.exec(text) ?? [];
  const [into, from] = [Number(input), Number(output)];
  if (into >= 0 && from >= 0) return [model, { input: into, output: from }];
  throw new UsageError(`--price takes MODEL=INPUT,OUTPUT in US dollars a million tokens, not '${text}'`);
}

/** DSPy's spelling of an option as the package's. */
export function camel(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function value(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
