/** What was called wrongly. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { closestMatch } from 'leven';

/** The command cannot be done as it was given: exit code 2. */
export class UsageError extends Error {}

/** What to say of a name that is not known: the one that was meant, if one is like it, and all that there are. */
export function offer(name: string, known: readonly string[]): string {
  const key = (of: string) => of.toLowerCase().replaceAll(/[_-]/g, '');
  const near = known.find((other) => key(other).startsWith(key(name))) ?? closestMatch(name, known, { maxDistance: Math.max(2, Math.ceil(name.length / 3)) });
  return `${near === undefined ? '' : `did you mean ${near}? `}known are ${known.join(', ')}`;
}

/** Refuses a file whose folder is not there, before there is something to write into it. */
export function intoFolder(flag: string, file: string | undefined): void {
  if (file !== undefined && !existsSync(dirname(resolve(file)))) throw new UsageError(`--${flag}: there is no folder ${dirname(file)}`);
}
