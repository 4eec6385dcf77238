/** What both commands begin and end with. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';

import type { CallOptions } from 'lakelet';
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
  const { checkpoint } = flags;
  return {
    ...(await platform.models()),
    budget: { ...budget(flags), until: signal },
    ...(checkpoint !== undefined && { checkpoint: { store: new FolderStore(resolve(checkpoint)), job: job(flags, work) } }),
  };
}

/** Tells the work apart from other work in the folder. What may be spent and how many calls are under way at once are no part of it. */
function job({ state, inputs, metric, fields, limit, model, 'model-option': option }: SharedFlags, work: readonly unknown[]): string {
  const all = [work, state, inputs, metric, fields, limit, model, option];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

/** The exit code of work whose result is there; says how to go on when it was stopped. */
export function ended({ checkpoint }: SharedFlags, { signal }: Host): number {
  if (!signal.aborted) return 0;
  const kept = `the same command goes on from here: what was answered is kept in ${checkpoint}`;
  console.error(checkpoint === undefined ? 'with --checkpoint FOLDER it could have gone on from here' : kept);
  return 130;
}
