import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Caller } from "../credentials.js";
import { limited, parseObject, readAll } from "./bodies.js";
import { ApiError, notImplemented } from "./errors.js";
import type { Call, Reply, Router } from "./router.js";

/** Largest accepted body where a route does not say otherwise. */
const DEFAULT_LIMIT = 1 << 20;

/** Databricks services that this workspace lacks: a call to one says so instead of looking like a typing error. */
const MISSING_PARTS: Array<[RegExp, string]> = [
  [/^\/api\/2\.[0-9]\/jobs\//, "This part of Jobs"],
  [/^\/api\/2\.[0-9]\/pipelines\//, "This part of Pipelines"],
  [/^\/api\/2\.[0-9]\/secrets\//, "This part of Secrets"],
  [/^\/api\/2\.[0-9]\/unity-catalog\//, "This part of Unity Catalog"],
  [/^\/api\/2\.[0-9]\/sql\//, "This part of Databricks SQL"],
  [/^\/ai-gateway\//, "This API of the AI Gateway (use /ai-gateway/mlflow/v1 or /ai-gateway/openai/v1)"],
];

export interface ServerOptions {
  router: Router;
  /** Returns the user whom a request belongs to, or throws the 401 or 403. */
  authenticate: (caller: Caller) => Promise<string>;
  /** Allow pages of every origin. For development; Databricks itself sends no CORS headers. */
  cors: boolean;
  /** Told of errors that are ours. */
  log: (line: string) => void;
}

/** The HTTP side of the workspace: reads and checks requests, calls the handler, writes replies and errors. */
export function createHttpServer(options: ServerOptions): Server {
  return createServer((request, response) => {
    void serve(request, response, options);
  });
}

async function serve(request: IncomingMessage, response: ServerResponse, options: ServerOptions): Promise<void> {
  const requestId = randomUUID();
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.setHeader("x-request-id", requestId);
  if (options.cors) allowOtherOrigins(response);
  try {
    if (options.cors && request.method === "OPTIONS") {
      response.writeHead(204).end();
      return;
    }
    const reply = await answer(request, gone.signal, options);
    for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
    const status = reply.status ?? 200;
    if ("events" in reply) await sendEvents(response, reply, requestId, gone.signal, options);
    else if ("bytes" in reply) await sendBytes(response, status, reply.bytes);
    else sendJson(response, status, reply.json);
  } catch (error) {
    if (gone.signal.aborted) return;
    const explained = explain(error, options);
    if (response.headersSent) response.destroy();
    else sendError(response, explained, requestId);
  } finally {
    // What the handler left of the body is read and dropped, so that the client gets the answer.
    request.resume();
  }
}

async function answer(request: IncomingMessage, signal: AbortSignal, options: ServerOptions): Promise<Reply> {
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", "http://local");
  const found = options.router.find(method, url.pathname);
  if (!found) throw unknownRoute(method, url.pathname);
  const { route, params } = found;
  const user = route.public ? "" : await options.authenticate({ authorization: request.headers.authorization, path: url.pathname });
  const bytes = limited(request, route.limit ?? DEFAULT_LIMIT);
  const text = route.raw ? "" : (await readAll(bytes)).toString("utf8");
  const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const call: Call = {
    method,
    origin: `http://${request.headers.host ?? "localhost"}`,
    path: url.pathname,
    params,
    query: url.searchParams,
    headers: request.headers,
    body: isForm ? {} : parseObject(text),
    form: new URLSearchParams(isForm ? text : ""),
    bytes,
    user,
    signal,
  };
  return route.handler(call);
}

function unknownRoute(method: string, path: string): ApiError {
  const part = MISSING_PARTS.find(([pattern]) => pattern.test(path));
  if (part) return notImplemented(`${part[1]} is not part of the local workspace.`);
  return new ApiError(404, "ENDPOINT_NOT_FOUND", `No API found for '${method} ${path}'`);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function sendBytes(response: ServerResponse, status: number, bytes: AsyncIterable<Uint8Array> | Uint8Array | undefined): Promise<void> {
  response.writeHead(status);
  if (bytes === undefined || bytes instanceof Uint8Array) response.end(bytes);
  else await pipeline(bytes, response);
}

function sendError(response: ServerResponse, error: ApiError, requestId: string): void {
  if (error.retryAfter !== undefined) response.setHeader("retry-after", String(error.retryAfter));
  sendJson(response, error.status, error.body(requestId));
}

/** The first event is awaited before the status line goes out, so that a request that cannot start fails with its real status. */
async function sendEvents(
  response: ServerResponse,
  { events, named }: { events: AsyncIterable<unknown>; named?: true },
  requestId: string,
  gone: AbortSignal,
  options: ServerOptions,
): Promise<void> {
  const write = async (data: string) => {
    if (!response.write(`data: ${data}\n\n`)) await once(response, "drain", { signal: gone });
  };
  const iterator = events[Symbol.asyncIterator]();
  let next = await iterator.next();
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  try {
    while (!next.done && !gone.aborted) {
      if (named) response.write(`event: ${(next.value as { type: string }).type}\n`);
      await write(JSON.stringify(next.value));
      next = await iterator.next();
    }
  } catch (error) {
    if (gone.aborted) return;
    await write(JSON.stringify(explain(error, options).body(requestId)));
  } finally {
    await iterator.return?.();
  }
  response.end("data: [DONE]\n\n");
}

function explain(error: unknown, options: ServerOptions): ApiError {
  if (error instanceof ApiError) return error;
  options.log(`internal error: ${error instanceof Error ? error.stack : String(error)}`);
  return new ApiError(500, "INTERNAL_ERROR", "The local workspace failed; its log says why.");
}

function allowOtherOrigins(response: ServerResponse): void {
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-allow-headers", "*, authorization, content-type");
  response.setHeader("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  response.setHeader("access-control-expose-headers", "x-request-id, retry-after, served-model-name, etag, last-modified, content-range");
}
