/** The command line: `npx lakelet`. */
import { readFileSync } from 'node:fs';

import { LakeletError, type ErrorCode } from 'lakelet';

import { HELP } from './help.js';
import type { Host } from './shared.js';
import { offer, UsageError } from './usage.js';
import { line } from './words.js';

const COMMANDS: Readonly<Record<string, () => Promise<(args: string[], host: Host) => Promise<number>>>> = {
  evaluate: async () => (await import('./evaluate.js')).evaluateCommand,
  // Loads another core: before any program is loaded.
  optimize: async () => (await import('./optimize.js')).optimizeCommand,
};

/** Codes of errors in what was given, not in what was done with it. */
const GIVEN: readonly ErrorCode[] = ['signature', 'input', 'pipeline', 'state', 'config', 'unsupported'];

/**
 * Runs a command, with its result on the standard output and all else on the error output.
 *
 * @returns the exit code: 0 when it is done, a spent budget included; 1 when it has failed; 2 when it was called wrongly; 130 after Ctrl-C.
 */
export async function main(args: string[]): Promise<number> {
  const stop = new AbortController();
  const interrupted = () => {
    if (stop.signal.aborted) process.exit(130);
    console.error('lakelet: what is under way is finished; Ctrl-C again ends it at once');
    stop.abort();
  };
  process.on('SIGINT', interrupted);
  try {
    return await run(args, { signal: stop.signal, print: (text) => console.log(text) });
  } catch (error) {
    console.error(`lakelet: ${error instanceof Error ? line(error) : String(error)}`);
    return isWrongCall(error) ? 2 : 1;
  } finally {
    process.off('SIGINT', interrupted);
  }
}

async function run([command, ...args]: string[], host: Host): Promise<number> {
  if (command === undefined || command === '--help') return host.print(HELP), 0;
  if (command === '--version') return host.print(version()), 0;
  if (!Object.hasOwn(COMMANDS, command)) throw new UsageError(`there is no command '${command}'; ${offer(command, Object.keys(COMMANDS))}; see npx lakelet --help`);
  const begin = await (COMMANDS[command] as (typeof COMMANDS)[string])();
  return begin(args, host);
}

function isWrongCall(error: unknown): boolean {
  if (error instanceof LakeletError) return GIVEN.includes(error.code);
  return error instanceof UsageError || String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
