import { ApiError, exists, invalid, missing, notImplemented } from "../http/errors.js";
import { isObject, optionalBoolean, optionalString } from "../http/fields.js";
import { changeTags, readConfig, readName, readTags } from "./definition.js";
import { Endpoint } from "./endpoint.js";
import { readGateway, type GatewayConfig } from "./gateway.js";
import type { EntityOpener, FoundationModel } from "./opener.js";
import { readRateLimits, type RateLimit } from "./rate-limits.js";
import type { EndpointRecord, ServingStore } from "./store.js";

/** The serving endpoints of the workspace: its own, other names of those, and those that clients have made. */
export class ServingEndpoints {
  readonly #store: ServingStore;
  readonly #opener: EntityOpener;
  readonly #endpoints = new Map<string, Endpoint>();
  #closed = false;

  /**
   * @param owner who the workspace's own endpoints belong to.
   * @param aliases endpoints of the workspace by the other names that they are to have.
   */
  constructor(store: ServingStore, opener: EntityOpener, foundation: FoundationModel[], owner: string, aliases: Readonly<Record<string, string>>) {
    this.#store = store;
    this.#opener = opener;
    const stored = new Map(store.all());
    const own = (name: string, model: FoundationModel, isAlias: boolean) => {
      const record = stored.get(name) ?? this.#fresh(owner);
      // An endpoint that was made when the name was free keeps it.
      if (!record.config && !record.pending) this.#add(name, record, { ...model, isAlias });
      else if (!isAlias) throw new Error(`The name ${name} is taken by an endpoint in the data folder.`);
    };
    for (const model of foundation) own(model.endpoint, model, false);
    for (const [alias, name] of Object.entries(aliases)) {
      const model = foundation.find(({ endpoint }) => endpoint === name);
      if (!model) throw new Error(`alias ${alias}=${name}: there is no endpoint ${name}; there is ${foundation.map(({ endpoint }) => endpoint).join(", ")}.`);
      own(readName({ name: alias }), model, true);
    }
    for (const [name, record] of stored) {
      if (!record.config && !record.pending) continue;
      const endpoint = this.#add(name, record);
      if (record.pending && record.failure === undefined) void this.#deploy(endpoint);
    }
  }

  all(): Endpoint[] {
    return [...this.#endpoints.values()];
  }

  /** The endpoint of that name. Throws 404. */
  get(name: string): Endpoint {
    const found = this.#endpoints.get(name);
    if (!found) throw missing(`Endpoint with name '${name}' does not exist.`);
    return found;
  }

  /** The endpoint of that name, or the workspace's own that serves the model `system.ai.<name>`. Throws 404. */
  serving(model: string): Endpoint {
    return this.get(this.#opener.foundation(model)?.endpoint ?? model);
  }

  /** Makes an endpoint and begins to start it. */
  create(body: Record<string, unknown>, user: string): Endpoint {
    const name = readName(body);
    if (this.#endpoints.has(name)) throw exists(`Endpoint with name '${name}' already exists.`);
    if (optionalBoolean(body, "route_optimized")) throw notImplemented("Route-optimized endpoints are not part of the local workspace.");
    const pending = readConfig(body["config"], 1);
    const task = this.#opener.check(pending.entities);
    const description = optionalString(body, "description");
    const gateway = isObject(body["ai_gateway"]) ? readGateway(body["ai_gateway"]) : undefined;
    const record: EndpointRecord = {
      ...this.#fresh(user),
      ...(description !== undefined && { description }),
      tags: readTags(body, "tags"),
      rateLimits: readRateLimits(body),
      ...(gateway && { gateway }),
      ...(task && { task }),
      pending,
    };
    this.#store.put(name, record);
    const endpoint = this.#add(name, record);
    void this.#deploy(endpoint);
    return endpoint;
  }

  /** Begins to start what an endpoint is to serve instead; until that runs it serves what it did. */
  update(name: string, body: Record<string, unknown>): Endpoint {
    const endpoint = this.#own(name);
    const { config, pending, failure } = endpoint.record;
    if (pending && failure === undefined) throw new ApiError(409, "RESOURCE_CONFLICT", `Endpoint '${name}' is being updated: wait until its config_update is NOT_UPDATING.`);
    const next = readConfig(body, Math.max(config?.version ?? 0, pending?.version ?? 0) + 1);
    this.#opener.check(next.entities);
    this.#save(endpoint, { pending: next, failure: undefined });
    void this.#deploy(endpoint);
    return endpoint;
  }

  delete(name: string): void {
    const endpoint = this.#own(name);
    this.#store.delete(name);
    this.#endpoints.delete(name);
    void endpoint.stop(endpoint.record.config);
  }

  setRateLimits(name: string, body: Record<string, unknown>): RateLimit[] {
    const rateLimits = readRateLimits(body);
    this.#save(this.get(name), { rateLimits });
    return rateLimits;
  }

  setGateway(name: string, body: Record<string, unknown>): GatewayConfig {
    const gateway = readGateway(body);
    this.#save(this.get(name), { gateway });
    return gateway;
  }

  changeTags(name: string, body: Record<string, unknown>): EndpointRecord["tags"] {
    const endpoint = this.get(name);
    const tags = changeTags(endpoint.record.tags, body);
    this.#save(endpoint, { tags });
    return tags;
  }

  /** Ends the processes of models. What is being started goes on when the workspace starts again. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.all().flatMap((endpoint) => [endpoint.stop(endpoint.record.config), endpoint.stop(endpoint.record.pending)]));
  }

  async #deploy(endpoint: Endpoint): Promise<void> {
    const { config: before, pending } = endpoint.record;
    if (!pending) return;
    const started = await endpoint.start(pending).then(
      (task) => ({ task }),
      (error: Error) => ({ failure: error.message }),
    );
    if (this.#closed || this.#endpoints.get(endpoint.name) !== endpoint) return endpoint.stop(pending); // deleted meanwhile
    if ("failure" in started) return this.#save(endpoint, started);
    this.#save(endpoint, { ...started, config: pending, pending: undefined });
    await endpoint.stop(before);
  }

  /** An endpoint that clients have made, and may change. */
  #own(name: string): Endpoint {
    const endpoint = this.get(name);
    if (endpoint.builtIn) throw invalid(`Endpoint '${name}' is one of the local workspace's own; it cannot be changed or deleted.`);
    return endpoint;
  }

  #fresh(creator: string): EndpointRecord {
    return { creator, created: Date.now(), updated: Date.now(), tags: [], rateLimits: [] };
  }

  #add(name: string, record: EndpointRecord, builtIn?: Endpoint["builtIn"]): Endpoint {
    const endpoint = new Endpoint(name, record, (entity) => this.#opener.open(entity), builtIn);
    this.#endpoints.set(name, endpoint);
    return endpoint;
  }

  #save(endpoint: Endpoint, changes: { [K in keyof EndpointRecord]?: EndpointRecord[K] | undefined }): void {
    const changed = { ...endpoint.record, ...changes, updated: Date.now() } as EndpointRecord;
    this.#store.put(endpoint.name, changed);
    endpoint.record = changed;
  }
}
