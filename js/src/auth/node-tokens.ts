/** Tokens in Node, by the ways to authenticate that need files, a browser or other programs. */
import { execFile } from 'node:child_process';

import { DATABRICKS_CLI, userTokens } from './login.js';
import type { Environment, Found } from './resolve.js';
import { inFile, ofDatabricksCli, ofGitHub, ofModelServing } from './sources.js';
import type { TokenOptions } from './surroundings.js';
import { tokenFile } from './token-file.js';
import type { TokenFunction } from './tokens.js';

/** Where the tokens of a configuration come from. */
export function tokensOf(found: Found, environment: Environment, { onSignIn = askInBrowser, fetch }: TokenOptions): TokenFunction {
  const { authType, host, path = '', audience, clientId = DATABRICKS_CLI, clientSecret, settings } = found;
  switch (authType) {
    case 'file-oidc':
      return inFile(path);
    case 'github-oidc':
      return ofGitHub(environment, host, audience, fetch);
    case 'model-serving':
      return ofModelServing(path);
    case 'databricks-cli':
      return ofDatabricksCli(host, settings.profile, environment);
    default: {
      const scopes = [...new Set([...found.scopes, 'offline_access'])];
      const application = { host, clientId, scopes, ...(clientSecret !== undefined && { clientSecret }), ...(fetch && { fetch }) };
      return userTokens(application, { store: tokenFile(application), open: onSignIn });
    }
  }
}

/** Opens the page in the user's browser, and says where it is, for users whose browser is elsewhere. */
function askInBrowser(url: string): void {
  console.error(`Sign in to Databricks: ${url}`);
  const command = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  execFile(command, [url]).on('error', () => {}); // the address has been shown
}
