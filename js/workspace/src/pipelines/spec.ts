import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalBoolean, optionalString, requiredString } from "../http/fields.js";
import { readStrings } from "../jobs/settings.js";

type Fields = Record<string, unknown>;

/** A pipeline as its owner describes it, checked. */
export interface PipelineSpec {
  name: string;
  catalog: string;
  schema: string;
  libraries: Library[];
  configuration: Record<string, string>;
  /** The fields as sent, which replies repeat. */
  sent: Fields;
}

/** A source: one file or notebook, or all below a folder (`/Workspace/folder/**`). */
export type Library = { path: string } | { glob: string };

const LACKING: Record<string, string> = {
  ingestion_definition: "write the rows to a table or a volume, and read them in a pipeline",
  gateway_definition: "write the rows to a table or a volume, and read them in a pipeline",
};

/** Reads the body of a create or an update. Throws a 400 that names the field, or a 501 for what no pipeline can do here. */
export function readSpec(body: Fields): PipelineSpec {
  for (const [field, instead] of Object.entries(LACKING)) {
    if (isObject(body[field])) throw notImplemented(`${field} is not part of the local workspace: ${instead}.`);
  }
  if (optionalBoolean(body, "continuous")) {
    throw notImplemented("Continuous pipelines are not part of the local workspace: leave 'continuous' out, and start updates.");
  }
  const catalog = requiredString(body, "catalog");
  const schema = optionalString(body, "schema") ?? optionalString(body, "target");
  if (schema === undefined || schema === "") throw invalid("'schema' is required: the datasets are published there.");
  const libraries = body["libraries"] ?? [];
  if (!Array.isArray(libraries)) throw invalid("'libraries' must be a list.");
  const { dry_run: _, allow_duplicate_names: __, expected_last_modified: ___, id: ____, ...sent } = body;
  return { name: requiredString(body, "name"), catalog, schema, libraries: libraries.map(readLibrary), configuration: readStrings(body, "configuration"), sent };
}

function readLibrary(library: unknown): Library {
  if (!isObject(library)) throw invalid("'libraries' must be a list of {notebook}, {file} or {glob}.");
  const { notebook, file, glob } = library;
  if (isObject(notebook)) return { path: requiredString(notebook, "path") };
  if (isObject(file)) return { path: requiredString(file, "path") };
  if (isObject(glob)) {
    const include = requiredString(glob, "include");
    if (/[*?[{]/.test(include.replace(/\/\*\*$/, ""))) throw invalid(`'include' must be a path, or a folder with /** behind it, not '${include}'.`);
    return include.endsWith("/**") ? { glob: include.slice(0, -3) } : { path: include };
  }
  throw notImplemented(`The local workspace runs libraries of the kinds notebook, file and glob, not ${Object.keys(library).join(", ")}.`);
}
