import type { Endpoint } from "./endpoint.js";
import type { Task } from "./served-model.js";

const string = { type: "string" };
const message = { type: "object", required: ["role"], properties: { role: { enum: ["system", "user", "assistant", "tool"] }, content: string } };
const sampling = { max_tokens: { type: "integer" }, temperature: { type: "number" }, n: { type: "integer" }, stop: {}, stream: { type: "boolean" } };

const REQUESTS: Record<Task, object> = {
  "llm/v1/chat": { type: "object", required: ["messages"], properties: { messages: { type: "array", items: message }, ...sampling } },
  "llm/v1/completions": { type: "object", required: ["prompt"], properties: { prompt: string, ...sampling } },
  "llm/v1/embeddings": { type: "object", required: ["input"], properties: { input: { anyOf: [string, { type: "array", items: string }] } } },
};
/** Models of one's own take tables and tensors. */
const CUSTOM = { type: "object", properties: { dataframe_split: {}, dataframe_records: {}, instances: {}, inputs: {}, params: {} } };

/** The OpenAPI document of an endpoint. */
export function openApi({ name, task }: Endpoint, origin: string): object {
  const body = (schema: object) => ({ content: { "application/json": { schema } } });
  const post = {
    operationId: "invoke",
    requestBody: { required: true, ...body(task ? REQUESTS[task] : CUSTOM) },
    responses: { 200: { description: "The answer", ...body({ type: "object" }) } },
  };
  return {
    openapi: "3.1.0",
    info: { title: name, version: "1" },
    servers: [{ url: `${origin}/serving-endpoints/${name}` }],
    paths: { [`/serving-endpoints/${name}/invocations`]: { servers: [{ url: origin }], post } },
  };
}
