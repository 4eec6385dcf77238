import { modelArtifact, pathOfPlace, runArtifact, traceArtifact } from "../mlflow/artifacts.js";
import type { Files } from "../files/files.js";
import type { Grants } from "../files/grants.js";
import { readAll } from "../http/bodies.js";
import { ApiError, invalid } from "../http/errors.js";
import { optionalString, optionalStrings, requiredString } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import type { PythonService } from "../python/service.js";

const BASE = "/api/2.0/mlflow";

/** What MLflow's clients call on Databricks for files, where they do not use the Files API: signed URLs, and lists of files. */
export class MlflowFilesRoutes {
  readonly #server: PythonService;
  readonly #files: Files;
  readonly #grants: Grants;

  constructor(server: PythonService, files: Files, grants: Grants) {
    this.#server = server;
    this.#files = files;
    this.#grants = grants;
  }

  routes(): Route[] {
    const both = (method: string, path: string, read: string, write: string, handler: (call: Call, may: "read" | "write") => Promise<unknown>): Route[] => {
      const answer = (may: "read" | "write"): Handler => async (call) => ({ json: await handler(call, may) });
      return [
        { method, path: `${BASE}/${path}/${read}`, handler: answer("read") },
        { method, path: `${BASE}/${path}/${write}`, handler: answer("write") },
      ];
    };
    return [
      ...both("POST", "artifacts", "credentials-for-read", "credentials-for-write", (call, may) => this.#ofRun(call, may)),
      ...both("POST", "logged-models/:model/artifacts", "credentials-for-download", "credentials-for-upload", (call, may) => this.#ofModel(call, may)),
      ...both("GET", "traces/:trace", "credentials-for-data-download", "credentials-for-data-upload", (call, may) => this.#ofTrace(call, may)),
      { method: "GET", path: `${BASE}/model-versions/list-artifacts`, handler: (call) => this.#filesOfVersion(call) },
      { method: "GET", path: `${BASE}/model-versions/get-signed-download-uri`, handler: (call) => this.#fileOfVersion(call) },
    ];
  }

  async #ofRun({ body, origin, signal }: Call, may: "read" | "write"): Promise<unknown> {
    const run_id = requiredString(body, "run_id");
    const { run } = await this.#ask<{ run: { info: { experiment_id: string } } }>(`/runs/get?run_id=${encodeURIComponent(run_id)}`, 2, signal);
    const credential_infos = pathsIn(body, "path").map((path) => {
      const place = runArtifact(run.info.experiment_id, run_id, path);
      return { run_id, path, ...this.#credential(origin, may, place) };
    });
    return { credential_infos };
  }

  async #ofModel({ body, params, origin, signal }: Call, may: "read" | "write"): Promise<unknown> {
    const model_id = params["model"] ?? "";
    const { model } = await this.#ask<{ model: { info: { experiment_id: string } } }>(`/logged-models/${encodeURIComponent(model_id)}`, 2, signal);
    const credentials = pathsIn(body, "paths").map((path) => {
      const place = modelArtifact(model.info.experiment_id, model_id, path);
      return { model_id, credential_info: { path, ...this.#credential(origin, may, place) } };
    });
    return { credentials };
  }

  async #ofTrace({ query, params, origin, signal }: Call, may: "read" | "write"): Promise<unknown> {
    const trace_id = params["trace"] ?? "";
    const { trace } = await this.#ask<{ trace: { trace_info: { trace_location: { mlflow_experiment?: { experiment_id: string } } } } }>(
      `/traces/${encodeURIComponent(trace_id)}`,
      3,
      signal,
    );
    const experiment = trace.trace_info.trace_location.mlflow_experiment?.experiment_id ?? "";
    const path = optionalString({ path: query.get("path") }, "path") ?? "traces.json";
    return { credential_info: { path, ...this.#credential(origin, may, traceArtifact(experiment, trace_id, path)) } };
  }

  /** The files of a version in the registry of the workspace, one folder at a time. */
  async #filesOfVersion(call: Call): Promise<Reply> {
    const root = await this.#rootOfVersion(call);
    const folder = [root, call.query.get("path") ?? ""].filter((part) => part !== "").join("/");
    const { contents, next } = await this.#files.list(folder, undefined, call.query.get("page_token") || undefined);
    const files = contents.map(({ path, is_directory, file_size }) => ({ path: path.slice(root.length + 1), is_dir: is_directory, file_size }));
    return { json: { files, ...(next !== undefined && { next_page_token: next }) } };
  }

  async #fileOfVersion(call: Call): Promise<Reply> {
    const path = `${await this.#rootOfVersion(call)}/${requiredString({ path: call.query.get("path") }, "path")}`;
    await (await this.#files.open(path)).file.close();
    return { json: { signed_uri: call.origin + this.#grants.url({ may: "read", path }, undefined), headers: [] } };
  }

  /** The path in the Files API of the files of a version, which are those of the logged model or the run that it was made of. */
  async #rootOfVersion({ query, signal }: Call): Promise<string> {
    const { artifact_uri } = await this.#ask<{ artifact_uri: string }>(`/model-versions/get-download-uri?${query}`, 2, signal);
    const [, logged] = /^models:\/(m-[0-9a-f]+)$/.exec(artifact_uri) ?? [];
    if (logged === undefined) return pathOfPlace(artifact_uri);
    const { model } = await this.#ask<{ model: { info: { artifact_uri: string } } }>(`/logged-models/${logged}`, 2, signal);
    return pathOfPlace(model.info.artifact_uri);
  }

  #credential(origin: string, may: "read" | "write", path: string): object {
    // The type says how a client puts the bytes: with one plain PUT.
    return { signed_uri: origin + this.#grants.url({ may, path }, undefined), headers: [], type: "AWS_PRESIGNED_URL" };
  }

  /** Asks the tracking server; its errors become ours. */
  async #ask<T>(path: string, version: number, signal: AbortSignal): Promise<T> {
    const answer = await this.#server.send("GET", `/mlflow/api/${version}.0/mlflow${path}`, { host: "localhost" }, [], signal);
    const json = JSON.parse((await readAll(answer)).toString("utf8")) as T & { error_code?: string; message?: string };
    if (answer.statusCode === 200) return json;
    throw new ApiError(answer.statusCode ?? 500, json.error_code ?? "INTERNAL_ERROR", json.message ?? "The tracking server failed.");
  }
}

function pathsIn(body: Record<string, unknown>, name: string): string[] {
  const paths = optionalStrings(body, name) ?? [];
  if (paths.length === 0) throw invalid(`'${name}' must name at least one path.`);
  return paths;
}
