import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { checkExperimentName, isOpenSource, toDatabricks, toOpenSource } from "../mlflow/dialect.js";
import { readAll } from "../http/bodies.js";
import { ApiError } from "../http/errors.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import type { Caller } from "../credentials.js";
import type { Files } from "../files/files.js";
import type { Grants } from "../files/grants.js";
import type { RegisteredModels } from "../mlflow/registered-models.js";
import type { PythonService } from "../python/service.js";
import { MlflowFilesRoutes } from "./mlflow-files.js";
import { UnityModelsRoutes } from "./unity-models.js";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** The API that both dialects share. Its requests and replies are JSON. */
const API = ["/api/2.0/mlflow/*path", "/api/3.0/mlflow/*path"];
/** What only the open-source server has: its artifact proxy, its OTLP endpoint, and what its page calls. */
const OPEN_SOURCE = ["/api/2.0/mlflow-artifacts/*path", "/ajax-api/*path", "/v1/traces", "/health", "/version"];
/** The tracking server under its own name: its page, and its API in the open-source dialect. */
const PAGE = ["/mlflow/", "/mlflow/*path"];
/** Largest JSON body in bytes: a batch of 1 MB, with room for spans and models. */
const JSON_LIMIT = 16 << 20;

/** MLflow's assistant runs commands on the machine of the server. Nobody asked for that here. */
const ASSISTANT = /^\/ajax-api\/3\.0\/mlflow\/assistant(\/|$)/;

/** Headers that are about one connection, or that the tracking server is not to see. */
const NOT_FORWARDED = ["host", "connection", "keep-alive", "transfer-encoding", "upgrade", "authorization", "cookie", "origin", "referer", "expect"];
const NOT_RETURNED = ["connection", "keep-alive", "transfer-encoding", "server", "date"];

export interface MlflowParts {
  /** The tracking server. */
  server: PythonService;
  models: RegisteredModels;
  files: Files;
  grants: Grants;
  /** Returns the user whom a request belongs to, or throws the 401 or 403. */
  authenticate: (caller: Caller) => Promise<string>;
}

/** All of MLflow: what Databricks has of its own, before what a genuine tracking server answers. */
export function mlflowRoutes({ server, models, files, grants, authenticate }: MlflowParts): Route[] {
  return [
    ...new UnityModelsRoutes(models).routes(),
    ...new MlflowFilesRoutes(server, files, grants).routes(),
    ...new TrackingRoutes(server, authenticate).routes(),
  ];
}

/** Calls that go to the tracking server, which sees them in its own dialect. */
class TrackingRoutes {
  readonly #server: PythonService;
  readonly #authenticate: MlflowParts["authenticate"];

  constructor(server: PythonService, authenticate: MlflowParts["authenticate"]) {
    this.#server = server;
    this.#authenticate = authenticate;
  }

  routes(): Route[] {
    const all = (paths: string[], handler: Handler, rest: Partial<Route> = {}): Route[] =>
      paths.flatMap((path) => METHODS.map((method) => ({ method, path, raw: true, limit: Infinity, handler, ...rest })));
    return [
      ...all(API, (call) => (isOpenSource(call.headers) ? this.#pass(call) : this.#translate(call)), { limit: JSON_LIMIT }),
      ...all(OPEN_SOURCE, (call) => this.#pass(call)),
      { method: "POST", path: "/api/2.0/otel/v1/traces", raw: true, limit: JSON_LIMIT, handler: (call) => this.#spans(call) },
      // Where the clients say that a run can be looked at: `<host>/#/experiments/…`, and on Databricks `<host>/ml/experiments/…`.
      { method: "GET", path: "/", public: true, handler: () => moved("/mlflow/") },
      { method: "GET", path: "/mlflow", public: true, handler: () => moved("/mlflow/") },
      { method: "GET", path: "/ml/*path", public: true, handler: ({ path }) => moved(`/mlflow/#${path.slice("/ml".length)}`) },
      ...all(PAGE, (call) => this.#page(call), { public: true }),
    ];
  }

  /** Sends a call on as it is. */
  async #pass(call: Call, path = call.path): Promise<Reply> {
    if (ASSISTANT.test(path)) throw new ApiError(404, "ENDPOINT_NOT_FOUND", `No API found for '${call.method} ${path}'`);
    const answer = await this.#server.send(call.method, target(path, call.query), forwarded(call.headers), call.bytes, call.signal);
    const status = answer.statusCode ?? 502;
    const bytes = call.method === "HEAD" || status === 204 || status === 304 ? undefined : answer;
    return { status, headers: returned(answer), bytes };
  }

  /** Sends a call of Databricks' dialect on in the open-source one, and translates the reply. */
  async #translate(call: Call): Promise<Reply> {
    const text = toOpenSource((await readAll(call.bytes)).toString("utf8"));
    if (call.path.endsWith("/mlflow/experiments/create")) checkExperimentName(nameIn(text));
    const body = Buffer.from(text);
    const headers = { ...forwarded(call.headers), "accept-encoding": "identity", "content-length": String(body.length) };
    const answer = await this.#server.send(call.method, target(call.path, call.query), headers, [body], call.signal);
    const status = answer.statusCode ?? 502;
    if (!(answer.headers["content-type"] ?? "").startsWith("application/json")) {
      if (status === 404 || status === 405) throw new ApiError(404, "ENDPOINT_NOT_FOUND", `No API found for '${call.method} ${call.path}'`);
    }
    const { "content-length": _, ...rest } = returned(answer);
    return { status, headers: rest, bytes: Buffer.from(toDatabricks((await readAll(answer)).toString("utf8"))) };
  }

  /** Databricks' OTLP endpoint writes to tables of Unity Catalog; here spans go to an experiment. */
  #spans(call: Call): Promise<Reply> {
    if (call.headers["x-mlflow-experiment-id"] !== undefined) return this.#pass(call, "/v1/traces");
    throw new ApiError(
      501,
      "NOT_IMPLEMENTED",
      "Traces in tables of Unity Catalog are not part of the local workspace: name an experiment in the header " +
        "x-mlflow-experiment-id, or log the trace through /api/3.0/mlflow/traces.",
    );
  }

  /** The page asks for the token as the password of the user `token`, which browsers know how to ask for. */
  async #page(call: Call): Promise<Reply> {
    try {
      await this.#authenticate({ authorization: asBearer(call.headers.authorization), path: call.path });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const headers = { "www-authenticate": 'Basic realm="Local workspace: user token, password the access token"' };
      return { status: 401, headers, json: error.body("") };
    }
    // A browser sends a password that it knows along with the requests of any page.
    if (["cross-site", "same-site"].includes(String(call.headers["sec-fetch-site"])) && call.headers["sec-fetch-mode"] !== "navigate") {
      throw new ApiError(403, "PERMISSION_DENIED", "Pages of other origins may not call MLflow.");
    }
    return this.#pass(call, call.path.slice("/mlflow".length));
  }
}

const moved = (location: string): Reply => ({ status: 302, headers: { location }, bytes: undefined });

/** Everything of the tracking server stands below `/mlflow`, so that its page finds itself there. */
const target = (path: string, query: URLSearchParams) => `/mlflow${path}${query.size > 0 ? `?${query}` : ""}`;

function forwarded(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = Object.entries(headers).filter(([name]) => !NOT_FORWARDED.includes(name));
  return { ...Object.fromEntries(kept), host: "localhost" };
}

function returned(answer: IncomingMessage): Record<string, string> {
  const kept = Object.entries(answer.headers).filter(([name]) => !NOT_RETURNED.includes(name));
  return Object.fromEntries(kept) as Record<string, string>;
}

function nameIn(json: string): unknown {
  try {
    return (JSON.parse(json) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}

/** `Basic token:<token>`, which Databricks takes for the bearer token, as one; anything else as it is. */
function asBearer(authorization: string | undefined): string | undefined {
  const [, encoded = ""] = /^basic (.*)$/i.exec(authorization ?? "") ?? [];
  const [user, token = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return user === "token" ? `Bearer ${token}` : authorization;
}
