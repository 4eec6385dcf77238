// What Cloudflare does in front of a Worker, for one that runs on this machine: it answers to its own names only, serves the files, and says
// itself who calls.
import { servePage } from './page.mjs';

let page;

export default {
  async fetch(request, env) {
    const { hostname, pathname } = new URL(request.url);
    if (!['localhost', '127.0.0.1'].includes(hostname)) return new Response(null, { status: 421 });
    if (!pathname.startsWith('/api/')) {
      page ??= servePage(new Map(env.PATHS.map((path) => [path, env[path]])));
      return page(request);
    }
    const passedOn = new Request(request, { signal: request.signal });
    passedOn.headers.set('cf-connecting-ip', '127.0.0.1');
    return env.WORKER.fetch(passedOn);
  },
};
