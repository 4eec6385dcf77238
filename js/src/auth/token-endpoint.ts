/** The token endpoint of a workspace, for the grants that only a program with a user in front of it has. */
import { LakeletError } from '../errors.js';
import type { Fetch } from './tokens.js';

/** Tokens of a user. */
export interface UserTokens {
  readonly access_token: string;
  /** Good for new access tokens; absent when none was asked for. */
  readonly refresh_token?: string;
  /** When the access token ends, in milliseconds since 1970. */
  readonly expires_at: number;
}

/** An OAuth application that users let act for them. */
export interface Application {
  /** The workspace's normalised address. */
  readonly host: string;
  readonly clientId: string;
  /** Applications of Databricks' own tools have none. */
  readonly clientSecret?: string;
  readonly scopes: readonly string[];
  readonly fetch?: Fetch;
}

const LONGEST_MS = 60_000;

/**
 * Asks for tokens.
 *
 * @param form the fields of the grant, beside the client's own
 * @throws LakeletError `auth` in the endpoint's words, without what was sent; `network` when none came.
 */
export async function askTokens({ host, clientId, clientSecret, fetch: send = fetch }: Application, form: Readonly<Record<string, string>>): Promise<UserTokens> {
  const asked = Date.now();
  const fields = { ...form, client_id: clientId, ...(clientSecret && { client_secret: clientSecret }) };
  let answer: Response;
  try {
    answer = await send(`${host}/oidc/v1/token`, { method: 'POST', body: new URLSearchParams(fields), signal: AbortSignal.timeout(LONGEST_MS) });
  } catch (cause) {
    throw new LakeletError(`the token endpoint of ${host} gives no answer`, { code: 'network', hint: 'Check DATABRICKS_HOST and the network.', retryable: true }, { cause });
  }
  const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  if (!answer.ok) throw refused(answer.status, said, Object.values(fields));
  const { access_token, expires_in, refresh_token } = said;
  if (typeof access_token !== 'string' || typeof expires_in !== 'number') {
    throw new LakeletError("the token endpoint's answer holds no access_token with its expires_in", { code: 'protocol', hint: 'Check that DATABRICKS_HOST is a Databricks workspace.' });
  }
  return { access_token, ...(typeof refresh_token === 'string' && { refresh_token }), expires_at: asked + expires_in * 1000 };
}

function refused(status: number, said: Record<string, unknown>, sent: readonly string[]): LakeletError {
  const errorCode = String(said['error'] ?? said['errorCode'] ?? 'unknown');
  let message = `${errorCode}: ${String(said['error_description'] ?? said['errorSummary'] ?? `status ${status}`)}`;
  for (const secret of sent) if (secret.length > 8) message = message.replaceAll(secret, '***');
  return new LakeletError(message, { code: status >= 500 ? 'server' : 'auth', status, errorCode, retryable: status >= 500 });
}
