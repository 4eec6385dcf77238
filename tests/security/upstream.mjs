// A workspace on loopback that counts who reaches it, and answers as it is told to.
import { once } from 'node:events';
import { createServer } from 'node:http';

const COMPLETION = { id: 'c', object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' },
  finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };

/** Starts it. `answer` may be changed at any time. */
export async function openUpstream() {
  const received = [];
  const upstream = { received, answer: (_, response) => json(response, 200, COMPLETION), url: '', close };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const it = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
    received.push(it);
    upstream.answer(it, response);
  });
  function close() {
    server.closeAllConnections();
    server.close();
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  upstream.url = `http://127.0.0.1:${server.address().port}`;
  return upstream;
}

export function json(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
