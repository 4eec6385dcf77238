// A rate limit, as its binding is called: three calls of a key.
import { WorkerEntrypoint } from 'cloudflare:workers';

const calls = new Map();

export class Limiter extends WorkerEntrypoint {
  limit({ key }) {
    calls.set(key, (calls.get(key) ?? 0) + 1);
    return { success: calls.get(key) <= 3 };
  }
}

export default { fetch: () => new Response(null, { status: 404 }) };
