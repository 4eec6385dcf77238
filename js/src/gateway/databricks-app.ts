/** A gateway in a Databricks App: the proxy in front signs users in, and says with every request who asks. */
import { LakeletError } from '../errors.js';
import { GatewayError, unauthenticated } from './errors.js';
import type { GatewayUser } from './types.js';

/** Who asks, by the headers of the proxy. */
export interface DatabricksApp {
  /** The `user` hook of the gateway: `{ id, email, name }`, by the user's id at Databricks. */
  user(request: Request): GatewayUser | undefined;
  /**
   * The user's own token, for calls in the user's name: `databricks.onBehalfOf(app.token(request))`. It has the scopes that the app was given.
   *
   * @throws GatewayError 401 when the proxy sent none: user authorization is off.
   */
  token(request: Request): string;
}

/**
 * What a Databricks App knows of its users. The headers mean something only behind the proxy of Databricks Apps, which writes them over what a
 * page sends; so this fails anywhere else, by the variable that only an App has.
 *
 * ```ts
 * const app = databricksApp(process.env);
 * const databricks = await configureDatabricks();
 * const gateway = createGateway({ programs, user: app.user, reach: (request) => databricks.onBehalfOf(app.token(request)) });
 * ```
 *
 * @throws LakeletError `config` where this is no Databricks App.
 */
export function databricksApp(environment: Readonly<Record<string, string | undefined>>): DatabricksApp {
  if (!environment['DATABRICKS_APP_NAME']) {
    throw new LakeletError('this is no Databricks App: DATABRICKS_APP_NAME is not set', {
      code: 'config', hint: 'Elsewhere nobody checks the headers that say who asks: recognise users with `sessions` or `tokenUser`.',
    });
  }
  const header = (request: Request, name: string) => request.headers.get(`x-forwarded-${name}`) || undefined;
  return {
    user(request) {
      const id = header(request, 'user');
      const [email, name] = [header(request, 'email'), header(request, 'preferred-username')];
      return id === undefined ? undefined : { id, ...(email && { email }), ...(name && { name }) };
    },
    token(request) {
      const token = header(request, 'access-token');
      if (header(request, 'user') === undefined) throw unauthenticated();
      if (token === undefined) {
        throw new GatewayError(401, 'UNAUTHENTICATED', 'The app was not given a token of the user.', "Add user authorization, with its scopes, in the app's settings.");
      }
      return token;
    },
  };
}
