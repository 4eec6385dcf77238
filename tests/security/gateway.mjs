// The gateway under attack: one program, one endpoint, one index that is filtered by who asks, and signed sessions.
import { createGateway, sessions } from 'lakelet/gateway';

export const TOKEN = 'dapi-0123456789-never-shown';
export const SECRET = 'a secret of the tests, 32 letters';
export const IDLE_MS = 60_000;
export const LIFETIME_MS = 600_000;

/** Answers with what it was given. */
const echo = {
  inputs: [{ name: 'question', type: 'str' }, { name: 'role', type: 'str' }],
  steps: [{ name: 'answer', kind: 'predict' }],
  async *stream(inputs) {
    yield { type: 'result', fields: { answer: inputs }, stoppedBy: null };
  },
};

export const programs = { assistant: { program: echo, userInputs: ['role'] } };

export const relay = { endpoints: ['chat'], indexes: { 'main.default.handbook': ({ role }) => ({ audience: role === 'hr' ? ['all',
  'hr'] : ['all'] }) } };

export const openSessions = () => sessions({ secrets: [SECRET], idleMs: IDLE_MS, lifetimeMs: LIFETIME_MS });

/** Makes it, over a `Workspace` of `lakelet`. */
export function openGateway(workspace, options = {}) {
  const kept = openSessions();
  const gateway = createGateway({ programs, workspace, relay, user: kept.user, rateLimiter: { take: () => 0 }, ...options });
  return { gateway, kept };
}
