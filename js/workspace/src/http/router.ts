import type { IncomingHttpHeaders } from "node:http";

/** One request, read and checked, as the handlers see it. */
export interface Call {
  method: string;
  /** The origin that the client used, for the URLs that replies contain. */
  origin: string;
  /** The path as sent, still percent-encoded. */
  path: string;
  params: Record<string, string>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The parsed JSON object; `{}` if the request had no body. */
  body: Record<string, unknown>;
  /** The form fields of a request to the token endpoint. */
  form: URLSearchParams;
  /** The bytes of the body as they come, on routes that take them raw; nothing on others. Fails with a 413 beyond the route's limit. */
  bytes: AsyncIterable<Uint8Array>;
  /** Who the bearer token belongs to; empty on public routes. */
  user: string;
  /** Aborts when the client goes away. */
  signal: AbortSignal;
}

/**
 * A reply is one JSON value, events that are sent as they come (Server-Sent Events, ended by `[DONE]`), or bytes as they
 * are, whole or as they come. `bytes: undefined` is an empty body, for which a `content-length` header is kept (HEAD).
 * The status is 200 if none is given. Events that are `named` have their `type` as their name.
 */
export type Reply = { status?: number; headers?: Record<string, string> } & (
  | { json: unknown }
  | { events: AsyncIterable<unknown>; named?: true }
  | { bytes: AsyncIterable<Uint8Array> | Uint8Array | undefined }
);

export type Handler = (call: Call) => Reply | Promise<Reply>;

export interface Route {
  method: string;
  /** `/a/:name/b`: a colon names a segment. `/a/*name`: a star at the end names the rest of the path, with its leading slash. */
  path: string;
  handler: Handler;
  /** Served without a bearer token. */
  public?: boolean;
  /** The body is not read as JSON or a form: the handler takes `call.bytes`. */
  raw?: boolean;
  /** Largest accepted body in bytes. */
  limit?: number;
}

/** The routes of a workspace, found by method and path. */
export class Router {
  readonly #routes: Array<Route & { segments: string[] }>;

  constructor(routes: Route[]) {
    this.#routes = routes.map((route) => ({ ...route, segments: route.path.split("/") }));
  }

  /** The route and its named segments, or nothing. A literal segment wins over a named one by standing earlier in the list. */
  find(method: string, path: string): { route: Route; params: Record<string, string> } | undefined {
    const segments = path.split("/");
    for (const route of this.#routes) {
      if (route.method !== method) continue;
      const params = match(route.segments, segments);
      if (params) return { route, params };
    }
    return undefined;
  }
}

function match(pattern: string[], segments: string[]): Record<string, string> | undefined {
  const rest = pattern.at(-1)?.startsWith("*") ? pattern.length - 1 : undefined;
  if (rest === undefined ? pattern.length !== segments.length : segments.length <= rest) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    if (i === rest) {
      const path = decode(segments.slice(i).join("/"));
      if (!path) return undefined;
      params[part.slice(1)] = `/${path}`;
      continue;
    }
    const segment = segments[i] ?? "";
    if (!part.startsWith(":")) {
      if (part !== segment) return undefined;
      continue;
    }
    const value = decode(segment);
    if (!value) return undefined;
    params[part.slice(1)] = value;
  }
  return params;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
