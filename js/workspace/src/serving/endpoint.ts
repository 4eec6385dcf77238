import { ApiError, unavailable } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import type { Reply } from "../http/router.js";
import type { EndpointConfig, Entity } from "./definition.js";
import { EndpointMetrics } from "./metrics.js";
import type { FoundationModel } from "./opener.js";
import { RateLimiter } from "./rate-limits.js";
import type { Question, ServedModel, Task } from "./served-model.js";
import type { EndpointRecord } from "./store.js";

/** What an endpoint of the workspace's own always serves. */
export interface BuiltIn extends FoundationModel {
  /** Whether the endpoint is another name of the model's own endpoint. */
  isAlias: boolean;
}

/** A serving endpoint at work: takes requests, shares them between its models, and counts them. */
export class Endpoint {
  readonly name: string;
  readonly builtIn: BuiltIn | undefined;
  readonly metrics = new EndpointMetrics();
  record: EndpointRecord;
  /** The models of what is served now, each opened when it is first needed. */
  readonly #models = new Map<Entity, Promise<ServedModel>>();
  readonly #open: (entity: Entity) => Promise<ServedModel>;
  readonly #limiter = new RateLimiter();

  constructor(name: string, record: EndpointRecord, open: (entity: Entity) => Promise<ServedModel>, builtIn?: BuiltIn) {
    this.name = name;
    this.record = record;
    this.#open = open;
    this.builtIn = builtIn;
  }

  /** Opens all models of a configuration and returns what they are for; throws the reason when one does not start. */
  async start(config: EndpointConfig): Promise<Task | undefined> {
    const started = await Promise.allSettled(config.entities.map((entity) => this.#model(entity)));
    const failed = started.find((one) => one.status === "rejected");
    if (failed) {
      await this.stop(config);
      throw failed.reason;
    }
    return started.flatMap((one) => (one.status === "fulfilled" ? [one.value.task] : []))[0];
  }

  /** Closes the models of a configuration. */
  async stop(config: EndpointConfig | undefined): Promise<void> {
    for (const entity of config?.entities ?? []) {
      const model = this.#models.get(entity);
      this.#models.delete(entity);
      await model?.then((model) => model.close?.()).catch(() => undefined);
    }
  }

  get task(): Task | undefined {
    return this.builtIn ? this.builtIn.model.task : this.record.task;
  }

  /** Answers a request of a user, by one of the served entities or the one that is named. */
  async ask(question: Question, user: string, entity?: string): Promise<Reply> {
    const started = performance.now();
    const ended = (status: number) => this.metrics.ended(status, performance.now() - started);
    try {
      const limits = [...this.record.rateLimits, ...(this.record.gateway?.rate_limits ?? [])];
      const usedTokens = this.#limiter.admit(this.name, limits, user);
      const used = (reply: unknown) => {
        const { input, output } = usage(reply);
        this.metrics.used(input, output);
        usedTokens(input + output);
      };
      const reply = await this.#answer(question, entity);
      if ("events" in reply) return { ...reply, events: watched(reply.events, used, ended) };
      if ("json" in reply) used(reply.json);
      ended(200);
      return reply;
    } catch (error) {
      ended(error instanceof ApiError ? error.status : 500);
      throw error;
    }
  }

  /** With fallbacks, an entity that is throttled or fails hands the request on to the next one. */
  async #answer(question: Question, entity: string | undefined): Promise<Reply> {
    if (this.builtIn) return this.builtIn.model.ask(question);
    const { config, gateway } = this.record;
    if (!config) throw unavailable(`Endpoint '${this.name}' is not ready: ${this.record.failure ?? "it is being started"}.`, 1);
    const chosen = entity === undefined ? draw(config) : named(config, entity);
    const others = gateway?.fallback_config?.enabled && entity === undefined ? config.entities.filter((other) => other !== chosen) : [];
    for (const candidate of [chosen, ...others]) {
      try {
        return await (await this.#model(candidate)).ask(question);
      } catch (error) {
        const another = error instanceof ApiError && (error.status === 429 || error.status >= 500) && candidate !== [chosen, ...others].at(-1);
        if (!another) throw error;
      }
    }
    throw unavailable(`Endpoint '${this.name}' serves nothing.`, 1);
  }

  #model(entity: Entity): Promise<ServedModel> {
    const known = this.#models.get(entity);
    if (known) return known;
    const opening = this.#open(entity);
    this.#models.set(entity, opening);
    // What did not open is tried again.
    opening.catch(() => this.#models.delete(entity));
    return opening;
  }
}

/** An entity by its share of the traffic. */
function draw({ entities, traffic }: EndpointConfig): Entity {
  let left = Math.random() * 100;
  const route = traffic.find(({ percent }) => (left -= percent) < 0);
  return entities.find(({ name }) => name === route?.entity) ?? (entities[0] as Entity);
}

function named({ entities }: EndpointConfig, name: string): Entity {
  const found = entities.find((entity) => entity.name === name);
  if (!found) throw new ApiError(404, "RESOURCE_DOES_NOT_EXIST", `The endpoint has no served entity '${name}'; it has ${entities.map((entity) => entity.name).join(", ")}.`);
  return found;
}

/** The tokens that a reply, or a piece of one, reports. */
function usage(reply: unknown): { input: number; output: number } {
  const reported = isObject(reply) && isObject(reply["usage"]) ? reply["usage"] : {};
  const count = (name: string) => (typeof reported[name] === "number" ? reported[name] : 0);
  return { input: count("prompt_tokens"), output: count("completion_tokens") };
}

/** The same events; `used` hears of each, `ended` how it ended. */
async function* watched(events: AsyncIterable<unknown>, used: (event: unknown) => void, ended: (status: number) => void): AsyncGenerator<unknown> {
  let status = 499; // the client has left, unless something else happens
  try {
    for await (const event of events) {
      used(event);
      yield event;
    }
    status = 200;
  } catch (error) {
    status = error instanceof ApiError ? error.status : 500;
    throw error;
  } finally {
    ended(status);
  }
}
