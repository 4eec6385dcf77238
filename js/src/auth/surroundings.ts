/** What a host has in which a configuration is found: Node all of it, others only what they are given. */
import { LakeletError } from '../errors.js';
import { resolve, type Environment, type Found } from './resolve.js';
import type { Fetch, TokenFunction } from './tokens.js';

/** What belongs to a host. @internal */
export interface Surroundings {
  readonly environment: Environment;
  /** The text of a file, where `~` stands for the home directory; undefined when there is none. */
  readonly readFile: (path: string) => string | undefined;
  /** Where tokens come from, for the ways to authenticate that need files, a browser or other programs. */
  readonly tokens: (found: Found, environment: Environment, options: TokenOptions) => TokenFunction;
}

/** How users are asked, and what requests go through. @internal */
export interface TokenOptions {
  readonly onSignIn?: ((url: string) => void) | undefined;
  readonly fetch?: Fetch | undefined;
}

let surroundings: Surroundings | undefined;

/** Says what the host has. @internal */
export function provideSurroundings(of: Surroundings): void {
  surroundings = of;
}

/** A configuration, and what credential a workspace is to be given. @internal */
export function connection(options: object, given: Readonly<Record<string, unknown>> | undefined, tokenOptions: TokenOptions): { found: Found; credential: Credential } {
  const variables = given ?? surroundings?.environment;
  if (!variables) {
    throw new LakeletError('there is no environment here to configure from', { code: 'config', hint: 'give one: configureDatabricks({ environment: env })' });
  }
  // A Worker's environment holds bindings too.
  const texts = Object.fromEntries(Object.entries(variables).filter(([, value]) => typeof value === 'string'));
  const found = resolve(options, texts, surroundings?.readFile);
  // Variables with tokens are read when they are needed: they may have been written anew.
  return { found, credential: credentialOf(found, variables as Environment, tokenOptions) };
}

/** The options of a workspace that say who calls it. @internal */
export interface Credential {
  readonly token?: string | TokenFunction;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly subjectToken?: TokenFunction;
  readonly scopes?: readonly string[];
}

function credentialOf(found: Found, environment: Environment, options: TokenOptions): Credential {
  const { authType, token, clientId, clientSecret, scopes, variable } = found;
  const principal = { scopes, ...(clientId !== undefined && { clientId }) };
  switch (authType) {
    case 'pat':
      return { token: token as string };
    case 'oauth-m2m':
      return { ...principal, clientSecret: clientSecret as string };
    case 'env-oidc':
      return { ...principal, subjectToken: () => environment[variable as string] ?? '' };
    case 'file-oidc':
    case 'github-oidc':
      return { ...principal, subjectToken: tokens(found, environment, options) };
    default:
      return { token: tokens(found, environment, options) };
  }
}

function tokens(found: Found, environment: Environment, options: TokenOptions): TokenFunction {
  if (surroundings) return surroundings.tokens(found, environment, options);
  throw new LakeletError(`\`${found.authType}\` needs files, a browser or other programs, and this host has none`, {
    code: 'config', field: 'DATABRICKS_AUTH_TYPE', hint: 'set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET',
  });
}
