// The gateway under attack as a Worker.
import 'lakelet';
import { createWorker } from 'lakelet/worker';

import { openSessions, programs, relay } from './gateway.mjs';

const kept = openSessions();
const unlimited = { limit: async () => ({ success: true }) };
const worker = createWorker({ programs: () => programs, relay, user: kept.user, names: ['127.0.0.1'], limits: { bodyMs: 4000 } });

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== '/sign-out') return worker.fetch(request, { ...env, RATE_LIMITER: unlimited }, context);
    return new Response(null, { status: 204, headers: { 'set-cookie': await kept.close(request) } });
  },
};
