/** Tokens that other programs leave where Node can find them: in variables and files, with a tool, with GitHub. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { LakeletError } from '../errors.js';
import { readFile } from './node.js';
import type { Environment } from './resolve.js';
import type { Fetch, TokenFunction } from './tokens.js';

const missing = (what: string, hint: string, cause?: unknown) => new LakeletError(what, { code: 'auth', hint }, { cause });

/** The token in a file, read again each time: who writes it keeps it fresh. */
export function inFile(path: string): TokenFunction {
  return () => {
    const token = readFile(path)?.trim();
    if (!token) throw missing(`there is no token in ${path}`, 'Check DATABRICKS_OIDC_TOKEN_FILEPATH, and what writes the file.');
    return token;
  };
}

/** How long the token of a container is used before its file is read again. */
const SERVING_MS = 300_000;

/** The token of a model serving container: `{"OAUTH_TOKEN": [{"oauthTokenValue": …}]}`. */
export function ofModelServing(path: string): TokenFunction {
  return () => {
    try {
      const { OAUTH_TOKEN } = JSON.parse(readFileSync(path, 'utf8')) as { OAUTH_TOKEN: [{ oauthTokenValue: string }] };
      return { token: OAUTH_TOKEN[0].oauthTokenValue, expiresInMs: SERVING_MS };
    } catch {
      throw missing(`the credentials in ${path} cannot be read`, 'They are mounted by Databricks Model Serving: the model needs its resources declared when it is logged.');
    }
  };
}

/** The token of a job of GitHub Actions, for an audience: what the workspace asks for unless given. */
export function ofGitHub(environment: Environment, host: string, audience: string | undefined, send: Fetch = fetch): TokenFunction {
  const url = String(environment['ACTIONS_ID_TOKEN_REQUEST_URL']);
  const authorization = `Bearer ${environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}`;
  return async () => {
    audience ??= await defaultAudience(host, send);
    const answer = await send(`${url}&audience=${encodeURIComponent(audience)}`, { headers: { authorization } });
    const { value } = (await answer.json().catch(() => ({}))) as { value?: unknown };
    if (!answer.ok || typeof value !== 'string') throw missing(`GitHub gives no token (status ${answer.status})`, "The job's `permissions` need `id-token: write`.");
    return value;
  };
}

async function defaultAudience(host: string, send: Fetch): Promise<string> {
  const answer = await send(`${host}/.well-known/databricks-config`, {}).catch(() => undefined);
  const said = (await answer?.json().catch(() => undefined)) as { token_federation_default_oidc_audiences?: string[] } | undefined;
  return said?.token_federation_default_oidc_audiences?.[0] ?? `${host}/oidc/v1/token`;
}

/** The token of who has signed in with Databricks' own tool. */
export function ofDatabricksCli(host: string, profile: string | undefined, environment: Environment): TokenFunction {
  const command = environment['DATABRICKS_CLI_PATH'] || 'databricks';
  const whose = profile === undefined ? ['--host', host] : ['--profile', profile];
  return async () => {
    try {
      const { stdout } = await promisify(execFile)(command, ['auth', 'token', ...whose]);
      const { access_token: token, expiry } = JSON.parse(stdout) as { access_token: string; expiry: string };
      return { token, expiresInMs: Date.parse(expiry) - Date.now() };
    } catch (cause) {
      const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      throw isMissing
        ? missing(`the tool ${command} is not installed`, 'Install the Databricks CLI, or choose another DATABRICKS_AUTH_TYPE.')
        : missing('the Databricks CLI gives no token', `Sign in: databricks auth login ${whose.join(' ')}`);
    }
  };
}
