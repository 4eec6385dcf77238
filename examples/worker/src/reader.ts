// Who asks. What is returned here decides what the reader may see.
import { GatewayError, tokenUser, type GatewayUser } from 'lakelet/gateway';

import type { Env } from './env';

const KNOWN = {
  role: ['contractor', 'employee', 'manager', 'hr', 'finance', 'security'],
  region: ['EU', 'US', 'APAC'],
  department: ['engineering', 'sales', 'finance', 'people', 'it', 'legal', 'security'],
};

let access: ((request: Request) => Promise<GatewayUser | undefined>) | undefined;

/** The reader, with role, region and department; undefined when nobody has signed in. */
export async function recognise(request: Request, body: Readonly<Record<string, unknown>>, env: Env): Promise<GatewayUser | undefined> {
  if (env.LAKELET_BELIEVE_THE_PAGE === 'yes') return believed(body['user']);
  if (!env.ACCESS_ISSUER || !env.ACCESS_AUDIENCE) return undefined;
  access ??= tokenUser({
    issuer: env.ACCESS_ISSUER,
    audience: env.ACCESS_AUDIENCE,
    keys: `${env.ACCESS_ISSUER}/cdn-cgi/access/certs`,
    header: 'cf-access-jwt-assertion',
    user: signedIn,
  });
  return access(request);
}

/** The reader of a token of Cloudflare Access, which has the claims of your identity provider under `custom`. */
function signedIn({ email, custom }: Readonly<Record<string, unknown>>): GatewayUser | undefined {
  const reader = attributes(custom);
  return typeof email === 'string' && unknownIn(reader) === undefined ? { id: email, ...reader } : undefined;
}

/** THIS IS AUTHORISATION WITHOUT AUTHENTICATION, for demonstrations: the reader that the page names. */
function believed(user: unknown): GatewayUser {
  const reader = attributes(user);
  const unknown = unknownIn(reader);
  if (unknown) throw new GatewayError(400, 'INVALID_PARAMETER_VALUE', `\`user.${unknown}\` is missing or not known.`, `It is one of ${KNOWN[unknown].join(', ')}.`);
  return { id: Object.values(reader).join(', '), ...reader };
}

type Attribute = keyof typeof KNOWN;
const ATTRIBUTES = Object.keys(KNOWN) as Attribute[];

function attributes(of: unknown): Record<Attribute, unknown> {
  const given = (of ?? {}) as Record<string, unknown>;
  return Object.fromEntries(ATTRIBUTES.map((name) => [name, given[name]])) as Record<Attribute, unknown>;
}

/** The first attribute that no reader can have. */
function unknownIn(reader: Record<Attribute, unknown>): Attribute | undefined {
  return ATTRIBUTES.find((name) => !KNOWN[name].includes(reader[name] as string));
}
