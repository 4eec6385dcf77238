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
 * The workspace that the environment names.
 *
 * @param known the tokens that this isolate knows
 * @throws LakeletError `config`, with the variable that is missing
 */
export function connect(env: WorkerEnv, index: IndexOptions, known: KnownTokens, context: WorkerContext): Reach {
  const { CACHE, DATABRICKS_WORKSPACE_ID: workspaceId, DATABRICKS_TOKEN: token, DATABRICKS_CLIENT_ID: clientId, DATABRICKS_CLIENT_SECRET: clientSecret } = env;
  const scopes = env.LAKELET_SCOPES?.split(/[, ]+/).filter((scope) => scope !== '');
  const workspace = new Workspace({
    host: needed(env, 'DATABRICKS_HOST'),
    ...(workspaceId && { workspaceId }),
    ...(token && { token }),
    ...(clientId && { clientId }),
    ...(clientSecret && { clientSecret, tokens: tokens(clientSecret, known, CACHE, context) }),
    ...(scopes?.length && { scopes }),
  });
  if (!token && !clientId) throw missing('DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET,', 'npx wrangler secret put DATABRICKS_TOKEN');
  return {
    workspace,
    lm: needed(env, 'LAKELET_CHAT_ENDPOINT'),
    ...(env.LAKELET_INDEX && { rm: workspace.index(env.LAKELET_INDEX, index) }),
  };
}

function needed(env: WorkerEnv, name: 'DATABRICKS_HOST' | 'LAKELET_CHAT_ENDPOINT'): string {
  const value = env[name];
  if (!value) throw missing(name, `name it under "vars" in the Worker's wrangler.jsonc`);
  return value;
}

function missing(what: string, hint: string): LakeletError {
  return new LakeletError(`${what} is not set`, { code: 'config', hint });
}
