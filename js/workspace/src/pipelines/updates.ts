import { type SqlSession, StatementFailure } from "../jobs/sql-session.js";
import type { WorkspaceTree } from "../notebooks/tree.js";
import { writeName } from "../sql/text/names.js";
import { SqlError } from "../sql/text/tokens.js";
import { SourceError } from "./datasets.js";
import { order, type Node } from "./graph.js";
import { readSources } from "./sources.js";
import { countStatement, createStatement } from "./statements.js";
import { isActive, type Event, type Pipeline, type PipelineStore, type Update, type UpdateState } from "./store.js";

interface Active {
  control: AbortController;
  ended: Promise<void>;
}

/** A dataset could not be made. */
class FlowError extends Error {}

/** Runs updates of pipelines: reads their sources, and makes each dataset when those that it reads are made. */
export class PipelineUpdates {
  readonly #store: PipelineStore;
  readonly #tree: WorkspaceTree;
  readonly #sql: SqlSession;
  readonly #log: (line: string) => void;
  readonly #active = new Map<string, Active>();

  constructor(store: PipelineStore, tree: WorkspaceTree, sql: SqlSession, log: (line: string) => void) {
    this.#store = store;
    this.#tree = tree;
    this.#sql = sql;
    this.#log = log;
  }

  /** Starts an update. Throws a 409 if one is active. */
  start(pipeline: string, asked: Record<string, unknown>, cause: Update["cause"]): Update {
    const update = this.#store.createUpdate(pipeline, asked, cause);
    const control = new AbortController();
    const ended = this.#run(this.#store.pipeline(pipeline), update, control.signal).finally(() => this.#active.delete(update.id));
    this.#active.set(update.id, { control, ended });
    return update;
  }

  /** Stops the active update of a pipeline, if there is one. Resolves when it has ended. */
  async stop(pipeline: string): Promise<void> {
    const [latest] = this.#store.updates(pipeline, 0, 1);
    if (!latest || !isActive(latest.state)) return;
    const active = this.#active.get(latest.id);
    if (latest.state !== "STOPPING") this.#store.setState(pipeline, latest.id, "STOPPING");
    active?.control.abort();
    await active?.ended;
  }

  /** Resolves when an update has ended. */
  async ended(update: Update): Promise<Update> {
    await this.#active.get(update.id)?.ended;
    return this.#store.update(update.pipeline, update.id);
  }

  /** Drops what the updates of a pipeline have made. */
  async drop(pipeline: Pipeline): Promise<void> {
    const scope = { catalog: pipeline.spec.catalog, schema: pipeline.spec.schema, user: pipeline.creator };
    for (const what of pipeline.published.toReversed()) {
      await this.#sql.execute(`DROP ${what.replace(" ", " IF EXISTS ")}`, scope, new AbortController().signal);
    }
  }

  async close(): Promise<void> {
    const active = [...this.#active.values()];
    for (const { control } of active) control.abort();
    await Promise.all(active.map(({ ended }) => ended));
  }

  async #run(pipeline: Pipeline, update: Update, signal: AbortSignal): Promise<void> {
    const to = (state: UpdateState, error?: string) => this.#store.setState(pipeline.id, update.id, state, error);
    try {
      to("INITIALIZING");
      const { catalog, schema } = pipeline.spec;
      const nodes = order(await readSources(this.#tree, pipeline.spec), catalog, schema);
      for (const { id, dataset } of nodes) this.#tell(pipeline, update, { type: "flow_definition", level: "INFO", dataset: id, message: `Flow '${id}' defined in ${dataset.source}.` });
      const chosen = choose(nodes, update.asked);
      if (update.asked["validate_only"] === true) return to("COMPLETED");
      to("SETTING_UP_TABLES");
      signal.throwIfAborted();
      to("RUNNING");
      const failed = await this.#make(pipeline, update, nodes, chosen, signal);
      signal.throwIfAborted();
      if (failed.size === 0) to("COMPLETED");
      else to("FAILED", [...failed].map(([id, why]) => `${id}: ${why}`).join("\n"));
    } catch (error) {
      if (signal.aborted) to("CANCELED");
      else to("FAILED", this.#explain(error));
    }
  }

  /** Makes the chosen nodes in their order, and returns why some could not be made, by their ids. */
  async #make(pipeline: Pipeline, update: Update, nodes: Node[], chosen: Node[], signal: AbortSignal): Promise<Map<string, string>> {
    const temporary = new Map(nodes.filter(({ dataset }) => dataset.kind === "temporary view").map((node) => [node.id, node]));
    const failed = new Map<string, string>();
    for (const node of nodes) {
      signal.throwIfAborted();
      const progress = (status: string, level: Event["level"], more: Partial<Event> = {}) =>
        this.#tell(pipeline, update, { type: "flow_progress", level, dataset: node.id, message: `Flow '${node.id}' ${status === "COMPLETED" ? "has completed" : `is ${status}`}.`, details: { flow_progress: { status } }, ...more });
      const broken = node.reads.find((id) => failed.has(id));
      if (broken !== undefined) {
        failed.set(node.id, `'${broken}', which it reads, could not be made.`);
        if (chosen.includes(node)) progress("SKIPPED", "WARN", { message: `Flow '${node.id}' is SKIPPED: '${broken}', which it reads, could not be made.` });
        continue;
      }
      if (!chosen.includes(node)) continue;
      try {
        progress("RUNNING", "INFO");
        const metrics = await this.#makeOne(pipeline, node, temporary, signal);
        progress("COMPLETED", "INFO", { details: { flow_progress: { status: "COMPLETED", ...metrics } } });
      } catch (error) {
        if (signal.aborted) throw error;
        const why = this.#explain(error);
        failed.set(node.id, why);
        progress("FAILED", "ERROR", { error: why, message: `Flow '${node.id}' has FAILED: ${why}` });
      }
    }
    return failed;
  }

  /** Checks the expectations of one dataset and makes it. Returns the metrics of its event. */
  async #makeOne(pipeline: Pipeline, node: Node, temporary: Map<string, Node>, signal: AbortSignal): Promise<object> {
    const { catalog, schema } = pipeline.spec;
    const scope = { catalog, schema, user: pipeline.creator };
    const { expectations, kind, name } = node.dataset;
    let quality = {};
    if (expectations.length > 0) {
      const [counts = []] = await this.#sql.rows(await this.#sql.execute(countStatement(node, temporary), scope, signal));
      const total = Number(counts[0]);
      const results = expectations.map((expectation, i) => ({ ...expectation, broken: Number(counts[i + 1]) }));
      const fatal = results.find(({ otherwise, broken }) => otherwise === "FAIL" && broken > 0);
      if (fatal) throw new FlowError(`Expectation '${fatal.name}' (${fatal.condition}) was violated by ${fatal.broken} of ${total} rows.`);
      const told = results.map(({ name, broken }) => ({ name, dataset: node.id, passed_records: total - broken, failed_records: broken }));
      quality = { data_quality: { expectations: told } };
    }
    const full = writeName([catalog, schema].slice(0, 3 - name.length).concat(name));
    this.#store.addPublished(pipeline.id, `${kind === "view" ? "VIEW" : "TABLE"} ${full}`);
    await this.#sql.execute(createStatement(node, full, temporary), scope, signal);
    if (kind === "view") return quality;
    const [[rows] = []] = await this.#sql.rows(await this.#sql.execute(`SELECT count(*) FROM ${full}`, scope, signal));
    return { metrics: { num_output_rows: Number(rows) }, ...quality };
  }

  #tell(pipeline: Pipeline, update: Update, event: Omit<Event, "update">): void {
    this.#store.addEvent(pipeline.id, { ...event, update: update.id });
  }

  /** What the event says of an error; the cause of our own ones stands in the log. */
  #explain(error: unknown): string {
    const known = error instanceof Error && (error instanceof SourceError || error instanceof FlowError || error instanceof SqlError || error instanceof StatementFailure);
    if (known) return error.message;
    this.#log(`internal error in a pipeline: ${error instanceof Error ? error.stack : String(error)}`);
    return "The local workspace failed; its log says why.";
  }
}

/** The datasets that the update is to make: all but temporary views, or those that are named. */
function choose(nodes: Node[], asked: Record<string, unknown>): Node[] {
  const lasting = nodes.filter(({ dataset }) => dataset.kind !== "temporary view");
  const names = ["refresh_selection", "full_refresh_selection"].flatMap((field) => (Array.isArray(asked[field]) ? asked[field].map(String) : []));
  if (names.length === 0) return lasting;
  return names.map((name) => {
    const found = lasting.find(({ id }) => id === name.toLowerCase() || id.endsWith(`.${name.toLowerCase()}`));
    if (!found) throw new SourceError(`'${name}' of the selection is not a table of the pipeline.`);
    return found;
  });
}
