import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { ApiError, invalid, missing } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, requiredString } from "../http/fields.js";
import type { Call, Reply, Route } from "../http/router.js";
import { chunk, chunkBytes, FORMATS, LINK_LIFE, manifest, type Format } from "../sql/results.js";
import type { StatementRecord, Statements } from "../sql/statements.js";
import { WAREHOUSE_ID } from "./sql-warehouses.js";

const BASE = "/api/2.0/sql/statements";
/** Bytes of a statement's text at most, and of the result in one reply. */
const STATEMENT_BYTES = 16 << 20;
const INLINE_BYTES = 25 << 20;
const CONTENT_TYPES: Record<Format, string> = {
  JSON_ARRAY: "application/json",
  CSV: "text/csv; charset=utf-8",
  ARROW_STREAM: "application/vnd.apache.arrow.stream",
};

/** SQL statement execution: https://docs.databricks.com/api/workspace/statementexecution */
export class SqlRoutes {
  readonly #statements: Statements;
  readonly #key = randomBytes(32);

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  routes(): Route[] {
    return [
      { method: "POST", path: BASE, limit: STATEMENT_BYTES + (1 << 20), handler: (call) => this.#execute(call) },
      { method: "GET", path: `${BASE}/:id`, handler: (call) => this.#get(call) },
      { method: "POST", path: `${BASE}/:id/cancel`, handler: (call) => this.#cancel(call) },
      { method: "GET", path: `${BASE}/:id/result/chunks/:chunk`, handler: (call) => this.#chunk(call) },
      { method: "GET", path: "/presigned-results/:id/:chunk", public: true, handler: (call) => this.#download(call) },
    ];
  }

  async #execute(call: Call): Promise<Reply> {
    const { body, user } = call;
    const statement = requiredString(body, "statement");
    if (Buffer.byteLength(statement) > STATEMENT_BYTES) throw invalid(`'statement' is longer than ${STATEMENT_BYTES} bytes.`);
    const warehouse = requiredString(body, "warehouse_id");
    if (warehouse !== WAREHOUSE_ID) throw missing(`SQL warehouse ${warehouse} does not exist. The warehouse of this workspace is '${WAREHOUSE_ID}'.`);
    const external = oneOf(body, "disposition", ["INLINE", "EXTERNAL_LINKS"] as const, "INLINE") === "EXTERNAL_LINKS";
    const format = oneOf(body, "format", FORMATS, "JSON_ARRAY");
    if (!external && format !== "JSON_ARRAY") throw invalid(`'format' must be JSON_ARRAY with the disposition INLINE. Ask for EXTERNAL_LINKS to get ${format}.`);
    const record = await this.#statements.execute({
      statement,
      parameters: readParameters(body["parameters"]),
      catalog: optionalString(body, "catalog") ?? "main",
      schema: optionalString(body, "schema") ?? "default",
      user,
      format,
      external,
      rowLimit: optionalInteger(body, "row_limit", 1, Number.MAX_SAFE_INTEGER),
      byteLimit: optionalInteger(body, "byte_limit", 1, Number.MAX_SAFE_INTEGER),
      maxBytes: external ? undefined : INLINE_BYTES,
      wait: readWait(body),
      cancelAfterWait: oneOf(body, "on_wait_timeout", ["CONTINUE", "CANCEL"] as const, "CONTINUE") === "CANCEL",
    });
    return { json: await this.#response(record, call) };
  }

  async #get(call: Call): Promise<Reply> {
    return { json: await this.#response(this.#statements.get(call.params["id"] ?? ""), call) };
  }

  async #cancel(call: Call): Promise<Reply> {
    await this.#statements.cancel(call.params["id"] ?? "");
    return { json: {} };
  }

  async #chunk(call: Call): Promise<Reply> {
    const record = this.#statements.get(call.params["id"] ?? "");
    if (!record.result) throw new ApiError(400, "INVALID_STATE", `The statement ${record.id} has no result: it is ${record.status.state}.`);
    const index = Number(call.params["chunk"]);
    if (!(index in record.result.chunks)) throw invalid(`There is no chunk ${call.params["chunk"]}: the result has ${record.result.chunks.length}.`);
    return { json: await this.#result(record, index, call) };
  }

  async #response(record: StatementRecord, call: Call): Promise<object> {
    const { id, status, result } = record;
    if (!result) return { statement_id: id, status };
    return { statement_id: id, status, manifest: manifest(result), result: await this.#result(record, 0, call) };
  }

  async #result({ id, result }: StatementRecord, index: number, { origin }: Call): Promise<object> {
    if (!result) return {};
    const linkTo = (number: number, expires: string) => {
      const until = String(Date.parse(expires));
      return `${origin}/presigned-results/${id}/${number}?until=${until}&signature=${this.#sign(id, String(number), until)}`;
    };
    return chunk(id, result, index, this.#statements.folder(id), linkTo);
  }

  /** A chunk behind an external link, which is fetched without a token: the link is signed, and good for a quarter of an hour. */
  #download({ params, query }: Call): Reply {
    const [id = "", index = ""] = [params["id"], params["chunk"]];
    const until = query.get("until") ?? "";
    const right = Buffer.from(this.#sign(id, index, until));
    const given = Buffer.from(query.get("signature") ?? "");
    const fresh = Number(until) > Date.now() && Number(until) <= Date.now() + LINK_LIFE;
    if (given.length !== right.length || !timingSafeEqual(given, right) || !fresh) {
      throw new ApiError(403, "PERMISSION_DENIED", "The link is not good, or not any more. Ask for the chunk again to get a new one.");
    }
    const { result } = this.#statements.get(id);
    const bytes = result?.chunks[Number(index)]?.bytes ?? 0;
    return {
      headers: { "content-type": CONTENT_TYPES[result?.format ?? "JSON_ARRAY"], "content-length": String(bytes) },
      bytes: chunkBytes(this.#statements.folder(id), Number(index)),
    };
  }

  #sign(...parts: string[]): string {
    return createHmac("sha256", this.#key).update(parts.join("/")).digest("base64url");
  }
}

function oneOf<Value extends string>(body: Record<string, unknown>, name: string, values: readonly Value[], otherwise: Value): Value {
  const text = optionalString(body, name) ?? otherwise;
  const value = values.find((known) => known === text);
  if (value === undefined) throw invalid(`'${name}' must be one of ${values.join(", ")}, not '${text}'.`);
  return value;
}

/** Milliseconds of `wait_timeout`: `0s`, or `5s` to `50s`. */
function readWait(body: Record<string, unknown>): number {
  const text = optionalString(body, "wait_timeout") ?? "10s";
  const seconds = /^(\d+)s$/.exec(text)?.[1];
  const wait = Number(seconds);
  if (seconds === undefined || (wait !== 0 && (wait < 5 || wait > 50))) throw invalid(`'wait_timeout' must be 0s or from 5s to 50s, not '${text}'.`);
  return wait * 1000;
}

function readParameters(value: unknown): Array<{ name: string; type: string; value: string | null }> {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid("'parameters' must be a list of objects with 'name', 'value' and 'type'.");
  return value.map((parameter: unknown, i) => {
    if (!isObject(parameter)) throw invalid(`'parameters[${i}]' must be an object with 'name', 'value' and 'type'.`);
    return { name: requiredString(parameter, "name"), type: optionalString(parameter, "type") ?? "STRING", value: optionalString(parameter, "value") ?? null };
  });
}
