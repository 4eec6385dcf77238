/** Node's surroundings: its environment variables and files, and tokens from its browser and programs. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { LakeletError } from '../errors.js';
import type { Surroundings } from './surroundings.js';
import type { TokenFunction } from './tokens.js';

export const node: Surroundings = {
  environment: process.env,
  readFile,
  /** What gives them is loaded when the first is needed: most programs need none. */
  tokens(found, environment, options) {
    let source: Promise<TokenFunction> | undefined;
    return async () => {
      source ??= import('./node-tokens.js').then(({ tokensOf }) => tokensOf(found, environment, options));
      return (await source)();
    };
  },
};

/** The text of a file, where `~` stands for the home directory; undefined when there is none. */
export function readFile(path: string): string | undefined {
  const at = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
  try {
    return readFileSync(at, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new LakeletError(`${path} cannot be read (${code})`, { code: 'config', hint: 'Check who may read it.' });
  }
}
