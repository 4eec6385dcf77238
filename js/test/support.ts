/** A server on loopback that answers as a serving endpoint does, as each test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** The fields of a form, as token endpoints take it. */
  readonly form: URLSearchParams;
  readonly body: { messages?: { role: string; content: string }[]; stream?: boolean; [member: string]: unknown };
  /** Resolves when the client hangs up before the answer is complete. */
  readonly gone: Promise<unknown>;
}

export interface Server {
  readonly url: string;
  readonly received: Received[];
  close(): void;
}

/** Starts the server; it is closed when the test ends. */
export async function serve(t: { after(fn: () => void): void }, answer: (request: Received, response: ServerResponse) => void): Promise<Server> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isJson = request.headers['content-type'] === 'application/json';
      const text = Buffer.concat(chunks).toString();
      const body = (isJson ? JSON.parse(text) : {}) as Received['body'];
      const it = { url: request.url ?? '', headers: request.headers, body, form: new URLSearchParams(isJson ? '' : text), gone: once(response, 'close') };
      received.push(it);
      answer(it, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  t.after(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, close };
}

/** A whole completion. */
export function complete(response: ServerResponse, content: string): void {
  json(response, 200, {
    id: 'c1', object: 'chat.completion', model: 'test-model',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
  });
}

/** A completion in pieces. */
export function stream(response: ServerResponse, pieces: readonly string[], end = true): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunk = (delta: object, finish_reason: string | null, usage?: object) =>
    response.write(`data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'test-model', choices: [{ index: 0, delta, finish_reason }], usage })}\n\n`);
  for (const content of pieces) chunk({ content }, null);
  if (!end) return;
  chunk({}, 'stop', { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 });
  response.end('data: [DONE]\n\n');
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A reply in the chat adapter's format. */
export function reply(fields: Readonly<Record<string, string>>): string {
  const written = Object.entries(fields).map(([name, text]) => `[[ ## ${name} ## ]]\n${text}\n\n`);
  return `${written.join('')}[[ ## completed ## ]]`;
}
