// The table of attacks against the gateway in every place that it runs in.
import { Workspace } from 'lakelet';
import { serve } from 'lakelet/gateway/node';

import { makeCookies } from './cookies.mjs';
import { openGateway, SECRET, TOKEN } from './gateway.mjs';
import { defend } from './runner.mjs';
import { throughHandler, throughSocket } from './senders.mjs';
import { openUpstream } from './upstream.mjs';

/** What the doors in this process have in common. */
async function openHere(t) {
  const upstream = await openUpstream();
  t.after(upstream.close);
  const { gateway, kept } = openGateway(new Workspace({ host: upstream.url, token: TOKEN, retries: 0 }));
  const cookies = await makeCookies((cookie) => kept.close(new Request('https://app.example', { headers: { cookie } })));
  return { gateway, common: { cookies, received: upstream.received, secrets: [TOKEN, SECRET, upstream.url] } };
}

defend('the gateway as a function', async (t) => {
  const { gateway, common } = await openHere(t);
  const origin = 'https://app.example';
  return { ...common, origin, send: throughHandler(gateway, origin) };
});

defend('the gateway as a server in Node', async (t) => {
  const { gateway, common } = await openHere(t);
  const server = await serve(gateway, { port: 0 });
  t.after(server.close);
  return { ...common, origin: server.url, ...throughSocket(server.url) };
});
