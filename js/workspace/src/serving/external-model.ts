import { ApiError, invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalString, requiredString } from "../http/fields.js";
import type { Reply } from "../http/router.js";
import { readEvents } from "./server-sent-events.js";
import { TASKS, type Kind, type Question, type ServedModel, type Task } from "./served-model.js";

/** Databricks gives up on a model after this time. */
const TIMEOUT = 297_000;

const KINDS: Record<Task, Kind> = { "llm/v1/chat": "chat", "llm/v1/completions": "completions", "llm/v1/embeddings": "embeddings" };
const PATHS: Record<string, string> = { chat: "/chat/completions", completions: "/completions", embeddings: "/embeddings" };
/** Fields that are for Databricks and not for the model. */
const OURS = ["client_request_id", "usage_context", "extra_params", "databricks_options"];

/** `{{secrets/scope/key}}` */
const SECRET = /^\{\{secrets\/([^/{}]+)\/([^/{}]+)\}\}$/;
/** Reads a secret; fails when there is none. */
export type Secrets = (scope: string, key: string) => string;

/** Where an external model is, and how to sign in there. */
interface Connection {
  url: string;
  header: string;
  /** The header's value around the credential. */
  scheme: string;
  /** The credential, or the secret that it is in. */
  credential: string | undefined;
}

/** A model elsewhere that speaks the OpenAI API: requests go there as they are, with the provider's own name of the model. */
export class ExternalModel implements ServedModel {
  readonly task: Task;
  readonly #name: string;
  readonly #connection: Connection;
  readonly #secrets: Secrets;

  /** @param definition `external_model` of a served entity. */
  constructor(definition: Record<string, unknown>, secrets: Secrets) {
    const task = TASKS.find((known) => known === definition["task"]);
    if (task === undefined) throw invalid(`'external_model.task' must be one of ${TASKS.join(", ")}.`);
    this.task = task;
    this.#name = requiredString(definition, "name");
    this.#connection = connect(definition);
    this.#secrets = secrets;
  }

  /** Fails when the secret of the credential is not there. */
  check(): void {
    this.#credential();
  }

  async ask({ kind, body, signal }: Question): Promise<Reply> {
    if (kind !== KINDS[this.task]) throw invalid(`This endpoint has the task ${this.task}.`);
    const { url } = this.#connection;
    const path = PATHS[kind] ?? "";
    const given = Object.fromEntries(Object.entries(body).filter(([name]) => !OURS.includes(name)));
    const response = await this.#post(url.endsWith(path) ? url : url + path, { ...given, model: this.#name }, signal);
    const headers = { "served-model-name": this.#name };
    if (response.headers.get("content-type")?.startsWith("text/event-stream") && response.body) {
      return { headers, events: readEvents(response.body) };
    }
    try {
      return { headers, json: await response.json() };
    } catch (error) {
      signal.throwIfAborted();
      throw new ApiError(502, "BAD_GATEWAY", `The external model ${this.#name} sent no JSON: ${(error as Error).message}`);
    }
  }

  async #post(url: string, body: object, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    const credential = this.#credential();
    if (credential !== undefined) headers[this.#connection.header] = this.#connection.scheme + credential;
    let response: Response;
    try {
      response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]) });
    } catch (error) {
      signal.throwIfAborted();
      const { message, cause } = error as Error;
      throw new ApiError(502, "BAD_GATEWAY", `The external model ${this.#name} at ${new URL(url).origin} gave no answer: ${(cause as Error | undefined)?.message ?? message}`);
    }
    if (!response.ok) throw await refusal(response, this.#name);
    return response;
  }

  #credential(): string | undefined {
    const { credential } = this.#connection;
    const secret = credential?.match(SECRET);
    return secret ? this.#secrets(secret[1] ?? "", secret[2] ?? "") : credential;
  }
}

/** What the provider said goes into the message, as on Databricks; its status and `Retry-After` stay. */
async function refusal(response: Response, name: string): Promise<ApiError> {
  const codes: Record<number, string> = { 401: "PERMISSION_DENIED", 403: "PERMISSION_DENIED", 404: "RESOURCE_DOES_NOT_EXIST", 429: "REQUEST_LIMIT_EXCEEDED" };
  const code = codes[response.status] ?? (response.status >= 500 ? "BAD_GATEWAY" : "BAD_REQUEST");
  // A refused credential is the endpoint's, not the caller's.
  const status = response.status === 401 ? 403 : response.status;
  const retryAfter = Number(response.headers.get("retry-after") ?? NaN);
  const message = `The external model ${name} refused (HTTP ${response.status}): ${(await response.text()).slice(0, 1000)}`;
  return new ApiError(status, code, message, Number.isFinite(retryAfter) ? { retryAfter } : {});
}

function connect(definition: Record<string, unknown>): Connection {
  const provider = requiredString(definition, "provider");
  const config = (name: string): Record<string, unknown> => {
    const found = definition[name] ?? {};
    if (!isObject(found)) throw invalid(`'external_model.${name}' must be an object.`);
    return found;
  };
  const secret = (of: Record<string, unknown>, name: string) => {
    const reference = optionalString(of, name);
    if (reference === undefined || SECRET.test(reference)) return reference ?? optionalString(of, `${name}_plaintext`);
    throw invalid(`'${name}' must name a secret, {{secrets/scope/key}}; '${name}_plaintext' takes the text itself.`);
  };
  const bearer = { header: "authorization", scheme: "Bearer " };
  switch (provider) {
    case "openai": {
      const openai = config("openai_config");
      if ((openai["openai_api_type"] ?? "openai") !== "openai") throw notImplemented("The local workspace calls OpenAI's own API only: leave 'openai_api_type' out.");
      return { url: url(optionalString(openai, "openai_api_base") ?? "https://api.openai.com/v1"), ...bearer, credential: secret(openai, "openai_api_key") };
    }
    case "custom": {
      const custom = config("custom_provider_config");
      const key = custom["api_key_auth"];
      const address = url(requiredString(custom, "custom_provider_url"));
      if (isObject(key)) return { url: address, header: requiredString(key, "key").toLowerCase(), scheme: "", credential: secret(key, "value") };
      const token = isObject(custom["bearer_token_auth"]) ? secret(custom["bearer_token_auth"], "token") : undefined;
      return { url: address, ...bearer, credential: token };
    }
    case "databricks-model-serving": {
      const workspace = config("databricks_model_serving_config");
      const host = url(requiredString(workspace, "databricks_workspace_url"));
      return { url: `${host}/serving-endpoints`, ...bearer, credential: secret(workspace, "databricks_api_token") };
    }
    default:
      throw notImplemented(`The local workspace calls external models of the providers openai, custom and databricks-model-serving, not ${provider}: use custom with an address that speaks the OpenAI API.`);
  }
}

function url(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw invalid(`'external_model': ${JSON.stringify(text)} is not an http address.`);
  return text.replace(/\/+$/, "");
}
