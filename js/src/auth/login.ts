/** The user signs in with the browser: OAuth's authorization code with PKCE, as Databricks' SDKs do it (`external-browser`). */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

import { LakeletError } from '../errors.js';
import { askTokens, type Application, type UserTokens } from './token-endpoint.js';
import type { TokenFunction } from './tokens.js';

/** The application of Databricks' own tools, and the ports that it may listen on. */
export const DATABRICKS_CLI = 'databricks-cli';
const FIRST_PORT = 8020;
const LAST_PORT = 8040;
/** How long the user may take. */
const PATIENCE_MS = 10 * 60_000;
/** A token with less than this left is renewed. */
const SKEW_MS = 60_000;

/** Where tokens of a user are kept between runs of the program. */
export interface UserTokenStore {
  read(): UserTokens | undefined;
  write(tokens: UserTokens): void;
}

/** What signing in needs beside the application. */
export interface SignInOptions {
  readonly store: UserTokenStore;
  /** Shows the user the page of this address. */
  readonly open: (url: string) => void;
}

/** Tokens of the user: those that are kept while they are good, then refreshed ones, else the user is asked. One question at a time. */
export function userTokens(application: Application, options: SignInOptions): TokenFunction {
  let underWay: Promise<UserTokens> | undefined;
  return async () => {
    underWay ??= current(application, options).finally(() => (underWay = undefined));
    const { access_token: token, expires_at } = await underWay;
    return { token, expiresInMs: expires_at - Date.now() };
  };
}

async function current(application: Application, { store, open }: SignInOptions): Promise<UserTokens> {
  const kept = store.read();
  if (kept && Date.now() < kept.expires_at - SKEW_MS) return kept;
  const fresh = (await refreshed(application, kept)) ?? (await signIn(application, open));
  store.write(fresh);
  return fresh;
}

/** New tokens for the refresh token; nothing when the workspace takes it no more. */
async function refreshed(application: Application, kept: UserTokens | undefined): Promise<UserTokens | undefined> {
  if (!kept?.refresh_token) return undefined;
  try {
    const { refresh_token } = kept;
    return { refresh_token, ...(await askTokens(application, { grant_type: 'refresh_token', refresh_token })) };
  } catch (error) {
    if (error instanceof LakeletError && error.code === 'auth') return undefined;
    throw error;
  }
}

/** Shows the user the page that asks for consent, and trades the code that comes back for tokens. */
export async function signIn(application: Application, open: (url: string) => void): Promise<UserTokens> {
  const server = createServer();
  try {
    const port = await listen(server, application.clientId === DATABRICKS_CLI ? LAST_PORT : FIRST_PORT);
    const redirect_uri = `http://localhost:${port}`;
    const [code_verifier, state] = [random(32), random(16)];
    const answer = callback(server, state);
    open(authorizationUrl(application, redirect_uri, state, code_verifier));
    return await askTokens(application, { redirect_uri, grant_type: 'authorization_code', code_verifier, code: await answer });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const random = (bytes: number) => randomBytes(bytes).toString('base64url');

function authorizationUrl({ host, clientId, scopes }: Application, redirect_uri: string, state: string, verifier: string): string {
  const query = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri,
    scope: scopes.join(' '),
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  return `${host}/oidc/v1/authorize?${new URLSearchParams(query)}`;
}

/** Listens on the first port that is free, on this machine only. */
async function listen(server: Server, last: number): Promise<number> {
  for (let port = FIRST_PORT; ; port++) {
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch (cause) {
      if (port < last && (cause as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw new LakeletError(`signing in needs a port of this machine, and ${port} cannot be had`, { code: 'config', hint: `End what listens on port ${FIRST_PORT}.` }, { cause });
    }
  }
}

/** The code that the browser brings. Who does not know the state is not listened to. */
function callback(server: Server, state: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = new LakeletError('the user did not sign in in time', { code: 'auth', hint: 'Start again, and follow the address that is shown.' });
    const timer = setTimeout(() => reject(late), PATIENCE_MS);
    server.once('close', () => clearTimeout(timer));
    server.on('request', (request, response) => {
      const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
      const [code, error] = [query.get('code'), query.get('error')];
      const isAnswer = query.get('state') === state && (code ?? error) !== null;
      const text = isAnswer ? (code ? 'You are signed in. This page can be closed.' : 'You are not signed in. This page can be closed.') : 'This is no answer to the sign-in.';
      response.writeHead(isAnswer ? 200 : 400, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(text, () => {
        if (!isAnswer) return;
        if (code !== null) resolve(code);
        else reject(new LakeletError(`${error}: ${query.get('error_description') ?? 'the sign-in was refused'}`, { code: 'auth', errorCode: error ?? '' }));
      });
    });
  });
}
