import type { IncomingHttpHeaders } from "node:http";

/** One request, read and checked, as the handlers see it. */
export interface Call {
  method: string;
  /** The origin that the client used, for the URLs that replies contain. */
  origin: string;
  params: Record<string, string>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The parsed JSON object; `{}` if the request had no body. */
  body: Record<string, unknown>;
  /** The form fields of a request to the token endpoint. */
  form: URLSearchParams;
  /** Who the bearer token belongs to; empty on public routes. */
  user: string;
  /** Aborts when the client goes away. */
  signal: AbortSignal;
}

/** A reply is one JSON value, or events that are sent as they come (Server-Sent Events, ended by `[DONE]`). */
export type Reply = { headers?: Record<string, string> } & ({ json: unknown } | { events: AsyncIterable<unknown> });

export type Handler = (call: Call) => Reply | Promise<Reply>;

export interface Route {
  method: string;
  /** `/a/:name/b`: a colon names a segment. */
  path: string;
  handler: Handler;
  /** Served without a bearer token. */
  public?: boolean;
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
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
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
