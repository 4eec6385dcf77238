// Who asks. Replace this by your own sign-in: what it returns decides what the reader may see.
import { GatewayError, type GatewayUser } from 'lakelet/gateway';

import type { Env } from './env';

const KNOWN = {
  role: ['contractor', 'employee', 'manager', 'hr', 'finance', 'security'],
  region: ['EU', 'US', 'APAC'],
  department: ['engineering', 'sales', 'finance', 'people', 'it', 'legal', 'security'],
};

/** The reader, with role, region and department; undefined when nobody has signed in. */
export function recognise(_request: Request, body: Readonly<Record<string, unknown>>, env: Env): GatewayUser | undefined {
  if (env.LAKELET_BELIEVE_THE_PAGE === 'yes') return believed(body['user']);
  return undefined;
}

/** THIS IS AUTHORISATION WITHOUT AUTHENTICATION, for demonstrations: the reader that the page names, if every value is known. */
function believed(user: unknown): GatewayUser {
  const reader: Record<string, unknown> = {};
  for (const [name, values] of Object.entries(KNOWN)) {
    const value = (user as Record<string, unknown> | undefined)?.[name];
    if (!values.includes(value as string)) {
      throw new GatewayError(400, 'INVALID_PARAMETER_VALUE', `\`user.${name}\` is missing or not known.`, `It is one of ${values.join(', ')}.`);
    }
    reader[name] = value;
  }
  return { id: Object.values(reader).join(', '), ...reader };
}
