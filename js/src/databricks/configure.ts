/** A workspace with its model and retriever, configured in one call as Databricks' own SDKs are. */
import type { FoundSettings, AuthType } from '../auth/resolve.js';
import { connection, type Credential } from '../auth/surroundings.js';
import { configure } from '../configure.js';
import { initDatabricks } from './module.js';
import { Workspace, type Index, type IndexOptions, type Model, type ModelOptions, type WorkspaceOptions } from '../workspace.js';

/** What {@link configureDatabricks} is told; everything else it finds. */
export interface DatabricksOptions extends Pick<WorkspaceOptions, 'host' | 'workspaceId' | 'clientId' | 'clientSecret' | 'scopes' | 'tokens' | 'fetch' | 'timeout' | 'retries'> {
  /** A personal access token. */
  readonly token?: string;
  /** The profile of `.databrickscfg`. */
  readonly profile?: string;
  /** The file of profiles; `~/.databrickscfg` unless given. */
  readonly configFile?: string;
  /** The way to authenticate, where several are configured or none shows: `external-browser`, `databricks-cli` ... */
  readonly authType?: AuthType;
  /** The variable, or the file, that holds a token of another issuer. */
  readonly oidcTokenEnv?: string;
  readonly oidcTokenFilepath?: string;
  /** What a token of GitHub Actions is asked for. */
  readonly tokenAudience?: string;
  /** The variables to look in, a Worker's `env` for instance; those of the process in Node unless given. */
  readonly environment?: Readonly<Record<string, unknown>>;
  /** Shows the user the page to sign in at; opens a browser and prints the address unless given. */
  readonly onSignIn?: (url: string) => void;
  /** The chat endpoint that is the default model; `LAKELET_CHAT_ENDPOINT` unless given. */
  readonly lm?: string;
  /** Parameters of every call of that model: `{ temperature: 0, max_tokens: 1000 }`. */
  readonly lmOptions?: ModelOptions;
  /** The Vector Search index that is the default retriever, as `catalog.schema.index`; `LAKELET_INDEX` unless given. */
  readonly rm?: string;
  /** How it is queried, over `LAKELET_COLUMNS` and `LAKELET_QUERY_TYPE`. */
  readonly rmOptions?: IndexOptions;
}

/** What programs may reach in a workspace: settings for a call. */
export interface Reach {
  readonly workspace: Workspace;
  readonly lm?: Model;
  readonly rm?: Index;
}

/** A workspace that is configured. */
export interface Databricks extends Reach, FoundSettings {
  readonly host: string;
  readonly authType: AuthType;
  /**
   * The same for a user whose own token the caller has, that of a Databricks App's visitor for instance: as settings for the calls that are made in
   * the user's name. Nothing is shared with other users, answers that are kept neither.
   */
  onBehalfOf(token: string): Reach;
}

/**
 * Finds a workspace and who calls it, and makes its model and retriever the defaults: `configure_databricks_dspy()` of the case study.
 *
 * What is not given as an option is looked for in the environment's variables, then in a profile of `.databrickscfg` (Node), by the names and
 * in the order of Databricks' SDKs. Nothing is sent yet, and nobody is asked to sign in before the first call.
 *
 * ```ts
 * const { workspace, lm, rm } = await configureDatabricks({ profile: 'DEV', lm: 'databricks-meta-llama-3-3-70b-instruct' });
 * ```
 *
 * | variable | |
 * |---|---|
 * | `DATABRICKS_HOST` | where the workspace is |
 * | `DATABRICKS_WORKSPACE_ID` | which one it is, where several share an address |
 * | `DATABRICKS_TOKEN` | `pat`: a personal access token |
 * | `DATABRICKS_CLIENT_ID`, `DATABRICKS_CLIENT_SECRET` | `oauth-m2m`: a service principal |
 * | `DATABRICKS_OIDC_TOKEN`, or the variable that `DATABRICKS_OIDC_TOKEN_ENV` names | `env-oidc`: a token of another issuer is traded in |
 * | `DATABRICKS_OIDC_TOKEN_FILEPATH` | `file-oidc`: the same, from a file (Node) |
 * | `DATABRICKS_CONFIG_PROFILE`, `DATABRICKS_CONFIG_FILE` | a profile, and where it stands (Node) |
 * | `DATABRICKS_AUTH_TYPE` | one of the above, `external-browser`, `databricks-cli`, `github-oidc`, `model-serving` (Node) |
 * | `LAKELET_SCOPES` | what OAuth tokens are asked for; `all-apis` unless given |
 * | `LAKELET_CHAT_ENDPOINT` | the default model |
 * | `LAKELET_INDEX`, `LAKELET_COLUMNS`, `LAKELET_QUERY_TYPE` | the default retriever: `id=chunk_id,text=content,title=headline`; `ANN`, `HYBRID` or `FULL_TEXT` |
 *
 * @throws LakeletError `config` at the setting that is missing, half, doubled, or not supported.
 */
export async function configureDatabricks(options: DatabricksOptions = {}): Promise<Databricks> {
  await initDatabricks();
  const { environment, onSignIn, lm, lmOptions, rm, rmOptions, tokens, fetch, timeout, retries, ...given } = options;
  const { found, credential } = connection(given, environment, { onSignIn, fetch });
  const { host, authType, chat, index, settings } = found;
  const { workspaceId } = settings;
  const transport = { host, ...(workspaceId !== undefined && { workspaceId }), ...(fetch && { fetch }), ...(timeout !== undefined && { timeout }), ...(retries !== undefined && { retries }) };
  const { name: indexName, ...indexOptions } = index ?? {};

  const reach = (as: Credential & Pick<WorkspaceOptions, 'tokens'>): Reach => {
    const workspace = new Workspace({ ...transport, ...as });
    const [endpoint, retriever] = [lm ?? chat, rm ?? indexName];
    return {
      workspace,
      ...(endpoint !== undefined && { lm: workspace.lm(endpoint, lmOptions) }),
      ...(retriever !== undefined && { rm: workspace.index(retriever, { ...indexOptions, ...rmOptions }) }),
    };
  };
  const own = reach({ ...credential, ...(tokens && { tokens }) });
  configure(own);
  return { ...settings, ...own, host, authType, onBehalfOf: (token) => reach({ token }) };
}
