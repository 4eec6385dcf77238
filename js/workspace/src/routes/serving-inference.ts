import { invalid } from "../http/errors.js";
import { requiredString } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import type { Endpoint } from "../serving/endpoint.js";
import type { ServingEndpoints } from "../serving/endpoints.js";
import { eventsFromChat, fromChat } from "../serving/responses-reply.js";
import { toChat } from "../serving/responses-request.js";
import type { Kind } from "../serving/served-model.js";

/** Databricks' limits of a request in bytes: to a model of one's own, and to any other. */
const CUSTOM_LIMIT = 16 << 20;
const LIMIT = 4 << 20;

/** Where a request names its endpoint as `model`: Databricks' own address, and those of the AI Gateway in two dialects that are the same here. */
const PREFIXES = ["/serving-endpoints", "/ai-gateway/mlflow/v1", "/ai-gateway/openai/v1"];

/** Questions to serving endpoints: by the endpoint's name in the path, and by its name in the body as OpenAI's clients ask. */
export class InferenceRoutes {
  readonly #endpoints: ServingEndpoints;

  constructor(endpoints: ServingEndpoints) {
    this.#endpoints = endpoints;
  }

  routes(): Route[] {
    const post = (path: string, handler: Handler, limit = LIMIT): Route => ({ method: "POST", path, handler, limit });
    const named = ({ body }: Call) => this.#endpoints.serving(requiredString(body, "model"));
    const byModel = PREFIXES.flatMap((prefix) => [
      post(`${prefix}/chat/completions`, (call) => ask(named(call), call, "chat")),
      post(`${prefix}/completions`, (call) => ask(named(call), call, "messages" in call.body ? "chat" : "completions")),
      post(`${prefix}/embeddings`, (call) => ask(named(call), call, "embeddings")),
      post(`${prefix}/responses`, (call) => respond(named(call), call)),
    ]);
    const byPath = ({ params }: Call) => this.#endpoints.get(params["name"] ?? "");
    return [
      ...byModel,
      post("/serving-endpoints/:name/invocations", (call) => invoke(byPath(call), call), CUSTOM_LIMIT),
      post("/serving-endpoints/:name/served-models/:entity/invocations", (call) => invoke(byPath(call), call, call.params["entity"]), CUSTOM_LIMIT),
    ];
  }
}

function ask(endpoint: Endpoint, { body, signal, user }: Call, kind: Kind, entity?: string): Promise<Reply> {
  return endpoint.ask({ kind, body, signal }, user, entity);
}

/** The task of the endpoint decides what its invocations are. */
function invoke(endpoint: Endpoint, call: Call, entity?: string): Promise<Reply> {
  if (endpoint.task === undefined) return ask(endpoint, call, "predict", entity);
  if (endpoint.task === "llm/v1/embeddings") return ask(endpoint, call, "embeddings", entity);
  return ask(endpoint, call, "messages" in call.body ? "chat" : "completions", entity);
}

/** The Responses API: the same question as a chat, and the answer in its own form. */
async function respond(endpoint: Endpoint, call: Call): Promise<Reply> {
  if (endpoint.task !== "llm/v1/chat") throw invalid(`Endpoint '${endpoint.name}' does not chat, so it gives no responses.`);
  const { body, signal, user } = call;
  const reply = await endpoint.ask({ kind: "chat", body: toChat(body), signal }, user);
  if ("events" in reply) return { ...reply, events: eventsFromChat(reply.events, body), named: true };
  return "json" in reply ? { ...reply, json: fromChat(reply.json, body) } : reply;
}
