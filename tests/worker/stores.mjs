// What workerd asks over HTTP where Cloudflare has its own: a key-value namespace, and the Cache API.
import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * Starts both on one port.
 *
 * @returns `address` for workerd's configuration; `texts`, what was put into the namespace, by key; `cached`, the answers in the cache, by address
 */
export async function startStores() {
  const texts = new Map();
  const cached = new Map();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const isCache = request.headers.host.startsWith('cache.');
    const store = isCache ? cached : texts;
    const key = isCache ? request.url : decodeURIComponent(new URL(request.url, 'http://kv').pathname.slice(1));
    if (request.method === 'PUT') {
      store.set(key, isCache ? body : body.toString());
      return response.writeHead(isCache ? 204 : 200).end();
    }
    if (!store.has(key)) return response.writeHead(isCache ? 504 : 404, { 'cf-cache-status': 'MISS' }).end();
    if (!isCache) return response.writeHead(200).end(store.get(key));
    // What is kept is the text of an HTTP answer, headers and all.
    response.writeHead(200, { 'cf-cache-status': 'HIT' }).end(store.get(key).toString().split('\r\n\r\n').slice(1).join('\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { address: `127.0.0.1:${server.address().port}`, texts, cached, close: () => server.close() };
}
