import { ApiError, invalid } from "../http/errors.js";
import { optionalBoolean, optionalStrings } from "../http/fields.js";
import type { Call, Reply, Route } from "../http/router.js";
import { readFilter } from "../pipelines/event-filter.js";
import { eventReply, pipelineReply, pipelineSummary, updateReply } from "../pipelines/replies.js";
import { readSpec } from "../pipelines/spec.js";
import { isActive, type PipelineStore } from "../pipelines/store.js";
import type { PipelineUpdates } from "../pipelines/updates.js";

const BASE = "/api/2.0/pipelines";
/** How many of the latest updates a pipeline tells. */
const LATEST = 5;

/** Declarative pipelines (Delta Live Tables), their updates and event logs. */
export class PipelinesRoutes {
  readonly #store: PipelineStore;
  readonly #updates: PipelineUpdates;

  constructor(store: PipelineStore, updates: PipelineUpdates) {
    this.#store = store;
    this.#updates = updates;
  }

  routes(): Route[] {
    const one = `${BASE}/:id`;
    return [
      { method: "POST", path: BASE, handler: (call) => this.#create(call) },
      { method: "GET", path: BASE, handler: (call) => this.#list(call) },
      { method: "GET", path: one, handler: (call) => ({ json: pipelineReply(this.#store.pipeline(idOf(call)), this.#store.updates(idOf(call), 0, LATEST)) }) },
      { method: "PUT", path: one, handler: (call) => this.#edit(call) },
      { method: "DELETE", path: one, handler: (call) => this.#delete(call) },
      { method: "POST", path: `${one}/updates`, handler: (call) => this.#start(call) },
      { method: "GET", path: `${one}/updates`, handler: (call) => this.#listUpdates(call) },
      { method: "GET", path: `${one}/updates/:update`, handler: (call) => this.#getUpdate(call) },
      { method: "GET", path: `${one}/events`, handler: (call) => this.#events(call) },
      { method: "POST", path: `${one}/stop`, handler: (call) => this.#stop(call) },
    ];
  }

  #create({ body, user }: Call): Reply {
    const spec = readSpec(body);
    if (optionalBoolean(body, "dry_run")) return { json: { effective_settings: spec.sent } };
    return { json: { pipeline_id: this.#store.create(spec, user, body["allow_duplicate_names"] === true).id } };
  }

  #list({ query }: Call): Reply {
    const filter = query.get("filter") ?? "";
    const like = /^\s*name\s+like\s+'([^']*)'\s*$/i.exec(filter);
    if (filter.trim() !== "" && !like) throw invalid(`'filter' must be of the form name LIKE '%text%', not ${filter}.`);
    const { offset, limit } = readPage(query, 25);
    const found = this.#store.pipelines(like?.[1] ?? "%", offset, limit + 1);
    const statuses = found.slice(0, limit).map((pipeline) => pipelineSummary(pipeline, this.#store.updates(pipeline.id, 0, LATEST)));
    return { json: { ...(statuses.length > 0 && { statuses }), ...next(found.length > limit, offset + limit) } };
  }

  #edit(call: Call): Reply {
    const expected = call.body["expected_last_modified"];
    if (typeof expected === "number" && expected !== this.#store.pipeline(idOf(call)).modified) {
      throw new ApiError(409, "RESOURCE_CONFLICT", "The pipeline was changed meanwhile: get it, and send the edit again.");
    }
    this.#store.save(idOf(call), readSpec(call.body), call.body["allow_duplicate_names"] === true);
    return { json: {} };
  }

  /** Deletes a pipeline with the tables that it has made, unless `cascade=false`. */
  async #delete(call: Call): Promise<Reply> {
    const pipeline = this.#store.pipeline(idOf(call));
    await this.#updates.stop(pipeline.id);
    if (call.query.get("cascade") !== "false") await this.#updates.drop(pipeline);
    this.#store.delete(pipeline.id);
    return { json: {} };
  }

  #start(call: Call): Reply {
    const { full_refresh, refresh_selection, full_refresh_selection, validate_only, cause, ...others } = call.body;
    const unknown = Object.keys(others).find((name) => name !== "development");
    if (unknown !== undefined) throw invalid(`'${unknown}' is not known to the local workspace: leave it out.`);
    const asked = {
      full_refresh: optionalBoolean(call.body, "full_refresh"),
      validate_only: optionalBoolean(call.body, "validate_only"),
      refresh_selection: optionalStrings(call.body, "refresh_selection"),
      full_refresh_selection: optionalStrings(call.body, "full_refresh_selection"),
    };
    const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    return { json: { update_id: this.#updates.start(idOf(call), given, "API_CALL").id } };
  }

  #getUpdate(call: Call): Reply {
    const { spec } = this.#store.pipeline(idOf(call));
    return { json: { update: updateReply(this.#store.update(idOf(call), call.params["update"] ?? ""), spec) } };
  }

  #listUpdates(call: Call): Reply {
    const { spec } = this.#store.pipeline(idOf(call));
    const { offset, limit } = readPage(call.query, 25);
    const found = this.#store.updates(idOf(call), offset, limit + 1);
    const updates = found.slice(0, limit).map((update) => updateReply(update, spec));
    return { json: { updates, ...next(found.length > limit, offset + limit) } };
  }

  #events(call: Call): Reply {
    const { query } = call;
    const { spec } = this.#store.pipeline(idOf(call));
    const test = readFilter(query.get("filter") ?? "");
    const order = query.getAll("order_by").join(",").trim().toLowerCase() || "timestamp desc";
    if (!/^timestamp( (asc|desc))?$/.test(order)) throw invalid(`'order_by' must be 'timestamp asc' or 'timestamp desc', not '${order}'.`);
    const { offset, limit } = readPage(query, 250);
    const all = this.#store.events(idOf(call)).filter(test);
    const ordered = order.endsWith("desc") ? all.reverse() : all;
    const events = ordered.slice(offset, offset + limit).map((event) => eventReply(event, spec.name));
    return { json: { events, ...next(ordered.length > offset + limit, offset + limit) } };
  }

  /** Answers at once; the update ends when its statement is stopped. */
  #stop(call: Call): Reply {
    const [latest] = this.#store.updates(this.#store.pipeline(idOf(call)).id, 0, 1);
    if (latest && isActive(latest.state)) void this.#updates.stop(latest.pipeline);
    return { json: {} };
  }
}

const idOf = ({ params }: Call) => params["id"] ?? "";

function readPage(query: URLSearchParams, usual: number): { offset: number; limit: number } {
  const number = (name: string, value: number) => {
    const text = query.get(name) || String(value);
    if (!/^\d{1,9}$/.test(text)) throw invalid(`'${name}' must be a whole number, not '${text}'.`);
    return Number(text);
  };
  return { offset: number("page_token", 0), limit: Math.min(number("max_results", usual) || usual, 1000) };
}

const next = (more: boolean, offset: number) => (more ? { next_page_token: String(offset) } : {});
