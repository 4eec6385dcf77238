/** A configuration as the module of `lakelet/databricks` finds it among options, variables and files. */
import { calling } from '../databricks/module.js';

/** Variables by name, `process.env` for instance. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What was found, with the secrets that it needs: it stays within this package. @internal */
export interface Found {
  /** Normalised. */
  readonly host: string;
  readonly authType: AuthType;
  readonly scopes: readonly string[];
  readonly token?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** The variable or file with another issuer's token. */
  readonly variable?: string;
  readonly path?: string;
  readonly audience?: string;
  readonly settings: FoundSettings;
  readonly chat?: string;
  readonly index?: { readonly name: string } & Readonly<Record<string, unknown>>;
}

/** How to authenticate, by the names of Databricks' SDKs. */
export type AuthType = 'pat' | 'oauth-m2m' | 'env-oidc' | 'file-oidc' | 'github-oidc' | 'external-browser' | 'databricks-cli' | 'model-serving';

/** What a configuration says beside address and credential. */
export interface FoundSettings {
  readonly profile?: string;
  readonly accountId?: string;
  readonly workspaceId?: string;
  readonly warehouseId?: string;
  readonly clusterId?: string;
  readonly serverlessComputeId?: string;
}

/** Finds the configuration. @internal */
export function resolve(options: object, environment: object, readFile?: (path: string) => string | undefined): Found {
  return JSON.parse(calling((core) => core.resolve(JSON.stringify(options), JSON.stringify(environment), readFile))) as Found;
}
