import type { IncomingHttpHeaders } from "node:http";
import { invalid } from "../http/errors.js";

/**
 * MLflow's REST API has two dialects. The open-source server names places `mlflow-artifacts:/<experiment>/…` and carries
 * files itself; Databricks names them `dbfs:/databricks/mlflow-tracking/<experiment>/…`, carries them through the Files API,
 * and names experiments by workspace paths. Both mean the same files here, so that either client reads what the other wrote.
 */
const OPEN_SOURCE = "mlflow-artifacts:/";
const DATABRICKS = "dbfs:/databricks/mlflow-tracking/";

/** MLflow's open-source client tells itself by its name; everything else speaks to Databricks. */
export const isOpenSource = (headers: IncomingHttpHeaders) => /^mlflow-\w+-client\//.test(headers["user-agent"] ?? "");

/** JSON members that hold a place; in the second form as a tag. */
const PLACES = /(?<!\\)("(?:artifact_uri|artifact_location|root_uri|source|storage_location|mlflow\.artifactLocation)":\s*")([^"]+)/g;
const TAGS = /(?<!\\)("key":\s*"mlflow\.artifactLocation",\s*"value":\s*")([^"]+)/g;

/** The places in a reply of the open-source server, as Databricks names them. */
export function toDatabricks(json: string): string {
  const rename = (_: string, member: string, place: string) => member + placeForDatabricks(place);
  return json.includes(OPEN_SOURCE) ? json.replace(PLACES, rename).replace(TAGS, rename) : json;
}

/** The places in a request, as the open-source server names them. */
export function toOpenSource(json: string): string {
  const rename = (_: string, member: string, place: string) => member + placeForOpenSource(place);
  return json.includes(DATABRICKS) ? json.replace(PLACES, rename).replace(TAGS, rename) : json;
}

function placeForDatabricks(place: string): string {
  if (!place.startsWith(OPEN_SOURCE)) return place;
  const [experiment, kind, ...rest] = place.slice(OPEN_SOURCE.length).replace(/^\/+/, "").split("/");
  return DATABRICKS + [experiment, kind === "models" ? "logged_models" : kind, ...rest].filter((part) => part !== undefined).join("/");
}

function placeForOpenSource(place: string): string {
  if (!place.startsWith(DATABRICKS)) return place;
  const [experiment, kind, ...rest] = place.slice(DATABRICKS.length).split("/");
  return OPEN_SOURCE + [experiment, kind === "logged_models" ? "models" : kind, ...rest].filter((part) => part !== undefined).join("/");
}

/** Refuses a name that Databricks refuses. */
export function checkExperimentName(name: unknown): void {
  if (typeof name === "string" && name.startsWith("/")) return;
  throw invalid(
    `Got an invalid experiment name '${String(name)}'. An experiment name must be an absolute path within the Databricks ` +
      "workspace. E.g. '/Users/<some-username>/my-experiment'.",
  );
}
