import { gateway } from './gateway.mjs';

Deno.serve(
  { hostname: '127.0.0.1', port: 0, onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}`) },
  (request, { remoteAddr }) => gateway(request, { address: remoteAddr.hostname }),
);
