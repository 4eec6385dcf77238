import type { Call, Route } from "../http/router.js";
import type { ServingEndpoints } from "../serving/endpoints.js";
import { openApi } from "../serving/openapi.js";
import { detail, summary } from "../serving/views.js";

const BASE = "/api/2.0/serving-endpoints";

/** The management of serving endpoints. */
export class ServingRoutes {
  readonly #endpoints: ServingEndpoints;

  constructor(endpoints: ServingEndpoints) {
    this.#endpoints = endpoints;
  }

  routes(): Route[] {
    const at = (method: string, path: string, answer: (call: Call, name: string) => unknown): Route => ({
      method,
      path: BASE + path,
      handler: (call) => ({ json: answer(call, call.params["name"] ?? "") }),
    });
    const text = (path: string, type: string, write: (call: Call, name: string) => string): Route => ({
      method: "GET",
      path: BASE + path,
      handler: (call) => ({ headers: { "content-type": type }, bytes: Buffer.from(write(call, call.params["name"] ?? "")) }),
    });
    const endpoints = this.#endpoints;
    const create = ({ body, user }: Call) => detail(endpoints.create(body, user));
    const update = ({ body }: Call, name: string) => detail(endpoints.update(name, body));
    const list = () => ({ endpoints: endpoints.all().map(summary) });
    return [
      at("GET", "", list),
      at("POST", "", create),
      // As mlflow.deployments asks.
      at("GET", "/", list),
      at("POST", "/", create),
      at("POST", "/pt", create),
      at("PUT", "/pt/:name/config", (call, name) => update({ ...call, body: (call.body["config"] ?? {}) as Call["body"] }, name)),
      at("GET", "/:name", (_, name) => detail(endpoints.get(name))),
      at("DELETE", "/:name", (_, name) => (endpoints.delete(name), {})),
      at("PUT", "/:name/config", update),
      at("PUT", "/:name/ai-gateway", ({ body }, name) => endpoints.setGateway(name, body)),
      at("PUT", "/:name/rate-limits", ({ body }, name) => ({ rate_limits: endpoints.setRateLimits(name, body) })),
      at("PATCH", "/:name/tags", ({ body }, name) => ({ tags: endpoints.changeTags(name, body) })),
      text("/:name/metrics", "text/plain; version=0.0.4", (_, name) => endpoints.get(name).metrics.toText(name)),
      text("/:name/openapi", "application/json", ({ origin }, name) => JSON.stringify(openApi(endpoints.get(name), origin))),
    ];
  }
}
