// Who asks. THIS IS A DEMO OF AUTHORISATION WITHOUT AUTHENTICATION: the page says who asks, and is believed. It shows what
// role, region and department change. A real deployment takes them from its sign-in, and never from the body.
import { GatewayError } from 'lakelet/gateway';

const KNOWN = {
  role: ['contractor', 'employee', 'manager', 'hr', 'finance', 'security'],
  region: ['EU', 'US', 'APAC'],
  department: ['engineering', 'sales', 'finance', 'people', 'it', 'legal', 'security'],
};

/** The `user` hook of the gateway: the reader that the body names, if every value is known. */
export function believedReader(_request, { user }) {
  const reader = {};
  for (const [name, values] of Object.entries(KNOWN)) {
    const value = user?.[name];
    if (!values.includes(value)) {
      throw new GatewayError(400, 'INVALID_PARAMETER_VALUE', `\`user.${name}\` is missing or not known.`, `It is one of ${values.join(', ')}.`);
    }
    reader[name] = value;
  }
  return { id: `${reader.role}, ${reader.region}, ${reader.department}`, ...reader };
}
