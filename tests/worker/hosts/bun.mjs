import { gateway } from './gateway.mjs';

const { url } = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 60, // seconds; an event stream shows signs of life every 15
  fetch: (request, server) => gateway(request, { address: server.requestIP(request)?.address ?? '' }),
});
console.log(url.origin);
