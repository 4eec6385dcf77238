import { readCells } from "../notebooks/source.js";
import type { WorkspaceObject, WorkspaceTree } from "../notebooks/tree.js";
import { type Dataset, readDatasets, SourceError } from "./datasets.js";
import type { PipelineSpec } from "./spec.js";

/** Reads all datasets that the files and notebooks of a pipeline define. Throws a SourceError for what is not SQL. */
export async function readSources(tree: WorkspaceTree, { libraries, configuration }: PipelineSpec): Promise<Dataset[]> {
  const datasets: Dataset[] = [];
  for (const library of libraries) {
    const objects = "glob" in library ? await below(tree, library.glob) : [await object(tree, library.path)];
    for (const { path } of objects) datasets.push(...readDatasets(path, await sqlOf(tree, path), configuration));
  }
  if (datasets.length === 0) throw new SourceError("The pipeline's sources define no tables and no views.");
  return datasets;
}

async function object(tree: WorkspaceTree, path: string): Promise<WorkspaceObject> {
  const found = await tree.find(path);
  if (!found) throw new SourceError(`The source '${path}' does not exist.`);
  if (found.object_type === "DIRECTORY") throw new SourceError(`The source '${path}' is a folder: write {"glob": {"include": "${path}/**"}}.`);
  return found;
}

/** The files and notebooks in a folder and those in it, by path. Files that are no source are left out. */
async function below(tree: WorkspaceTree, folder: string): Promise<WorkspaceObject[]> {
  const objects: WorkspaceObject[] = [];
  for (const found of await tree.list(folder)) {
    if (found.object_type === "DIRECTORY") objects.push(...(await below(tree, found.path)));
    else if (found.object_type === "NOTEBOOK" || /\.(sql|py)$/.test(found.path)) objects.push(found);
  }
  return objects;
}

/** The SQL of a file or notebook. */
async function sqlOf(tree: WorkspaceTree, path: string): Promise<string> {
  const { object, bytes } = await tree.read(path);
  const text = bytes.toString("utf8");
  if (object.language === undefined && path.endsWith(".sql")) return text;
  if (object.language !== "SQL" && object.language !== "PYTHON") throw notSql(path, object.language);
  const cells = readCells(object.language, text).map(({ magic = object.language?.toLowerCase(), text }) => ({ magic, text }));
  const others = cells.filter(({ magic }) => magic !== "sql" && magic !== "md");
  if (others.length > 0) throw notSql(path, "PYTHON");
  return cells.filter(({ magic }) => magic === "sql").map(({ text }) => (text.trimEnd().endsWith(";") ? text : `${text};`)).join("\n");
}

const notSql = (path: string, language: string | undefined) =>
  new SourceError(`'${path}' is not SQL${language ? ` but ${language}` : ""}: the local workspace runs pipelines whose sources are SQL. Write its datasets as CREATE OR REFRESH MATERIALIZED VIEW … AS SELECT.`);
