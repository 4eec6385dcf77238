/**
 * Runs a gateway, or any function from `Request` to `Response`, as an HTTP server in Node.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';

import type { GatewayHandler } from './types.js';

/** Where to listen. */
export interface ServeOptions {
  /** 0 takes a free port. Default 8080. */
  port?: number;
  /** Address to listen on. Default 127.0.0.1: reached from this machine only. */
  host?: string;
  /**
   * Names that clients may call the server by, without port. A page of another site can have its own name lead here, and would pass for
   * the same origin; so other names are answered with 421. Default the address and, on loopback, `localhost`.
   */
  names?: readonly string[];
  /** Told of what the handler throws; the client is told nothing. Default console.error. */
  report?: (error: unknown) => void;
}

/** A server that runs. */
export interface Serving {
  /** Where it is reached. */
  readonly url: string;
  /** Takes no more calls, ends those that run, and resolves when all connections are closed. */
  close(): Promise<void>;
}

/**
 * Serves a handler. Bodies stream both ways and no faster than they are read; a client that goes away aborts
 * `request.signal`.
 *
 * ```ts
 * import { createGateway } from 'lakelet/gateway';
 * import { serve } from 'lakelet/gateway/node';
 *
 * const { url } = await serve(createGateway({ programs }), { port: 8080 });
 * ```
 *
 * Rejects when the port is taken.
 */
export async function serve(handler: GatewayHandler, { port = 8080, host = '127.0.0.1', names, report = console.error }: ServeOptions = {}): Promise<Serving> {
  const known = new Set(names ?? [host, ...(isLoopback(host) ? ['localhost', '127.0.0.1', '::1'] : [])]);
  const server = createServer((incoming, outgoing) => {
    respond(handler, known, incoming, outgoing).catch((error: unknown) => {
      report(error);
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500, { connection: 'close' }).end();
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${address.port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function respond(handler: GatewayHandler, names: ReadonlySet<string>, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  const request = readRequest(incoming, names, gone.signal);
  if (typeof request === 'number') {
    outgoing.writeHead(request, { connection: 'close' }).end();
    return;
  }
  const response = await handler(request, { address: incoming.socket.remoteAddress ?? '' });
  const headers: Record<string, string | string[]> = Object.fromEntries(response.headers);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  // A body that was not read to its end leaves a connection on which the next request cannot be found.
  if (!incoming.complete && !incoming.readableEnded) headers['connection'] = 'close';
  outgoing.writeHead(response.status, headers);
  if (!response.body || incoming.method === 'HEAD') {
    await response.body?.cancel();
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  const body = Readable.fromWeb(response.body as NodeStream<Uint8Array>, { highWaterMark: 1 });
  outgoing.on('close', () => body.destroy());
  body.on('error', () => outgoing.destroy());
  body.pipe(outgoing);
  await finished(outgoing).catch(() => {});
}

/** A path on this server, of visible ASCII without `#` and `\`. */
const TARGET = /^\/(?!\/)[!"$-[\]-~]*$/;
/** A segment that readers of a URL resolve. */
const CLIMBS = /\/(\.|%2e){1,2}(?=[/?]|$)/i;
const HOST = /^(?:\[([\da-f:.]+)\]|([a-z\d.-]+))(?::\d{1,5})?$/i;

/** The request, or the status with which one is refused that has no single meaning. */
function readRequest(incoming: IncomingMessage, names: ReadonlySet<string>, signal: AbortSignal): Request | number {
  const { method = 'GET', url: target = '/', rawHeaders: raw } = incoming;
  if (!TARGET.test(target) || CLIMBS.test(target)) return 400;
  if (['CONNECT', 'TRACE', 'TRACK'].includes(method)) return 405;
  // Node's own collections of headers leave some out, and stumble over names like `__proto__`.
  const headers = raw.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, raw[i + 1] ?? '']] : []));
  const [host = '', ...others] = headers.filter(([name]) => name.toLowerCase() === 'host').map(([, value]) => value);
  const [, v6, name = v6] = HOST.exec(host) ?? [];
  if (!name || others.length > 0 || !names.has(name.toLowerCase()) || !URL.canParse(`http://${host}`)) return 421;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return new Request(new URL(target, `http://${host}`), {
    method,
    headers,
    signal,
    ...(hasBody && { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' as const }),
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
