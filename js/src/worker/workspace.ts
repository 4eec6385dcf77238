import { connection } from '../auth/surroundings.js';
import { LakeletError } from '../errors.js';
import { Workspace, type Index, type IndexOptions } from '../workspace.js';
import { tokens, type KnownTokens } from './tokens.js';
import type { WorkerContext, WorkerEnv } from './types.js';

/** What programs of one request may reach. */
export interface Reach {
  readonly workspace: Workspace;
  readonly lm: string;
  readonly rm?: Index;
}

/**
 * The workspace that the environment names, as `configureDatabricks` finds it.
 *
 * @param known the tokens that this isolate knows
 * @throws LakeletError `config`, with the variable that is missing
 */
export function connect(env: WorkerEnv, index: IndexOptions, known: KnownTokens, context: WorkerContext): Reach {
  const variables = Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value === 'string')) as Record<string, string>;
  const { found: { host, clientSecret, chat, index: named, settings: { workspaceId } }, credential } = connection({}, variables, {});
  if (chat === undefined) {
    throw new LakeletError('LAKELET_CHAT_ENDPOINT is not set', { code: 'config', hint: `name it under "vars" in the Worker's wrangler.jsonc` });
  }
  const workspace = new Workspace({ host, ...(workspaceId && { workspaceId }), ...credential, ...(clientSecret && { tokens: tokens(clientSecret, known, env.CACHE, context) }) });
  const { name, ...options } = named ?? {};
  return { workspace, lm: chat, ...(name !== undefined && { rm: workspace.index(name, { ...options, ...index }) }) };
}
