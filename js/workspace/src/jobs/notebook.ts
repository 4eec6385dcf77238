import { dirname, posix } from "node:path";
import { ApiError } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import { readCells, type Cell } from "../notebooks/source.js";
import type { WorkspaceTree } from "../notebooks/tree.js";
import type { Volumes } from "../files/volumes.js";
import { splitStatements } from "../sql/text/split.js";
import type { PythonTasks } from "./python.js";
import type { Task } from "./settings.js";
import { TaskFailure, type Attempt, type Executor } from "./task.js";

/** How deep notebooks may run each other with `%run`. */
const MAX_DEPTH = 20;

/** Notebooks and Python files, with their parameters. */
export class NotebookTasks {
  readonly #tree: WorkspaceTree;
  readonly #volumes: Volumes;
  readonly #python: PythonTasks;

  constructor(tree: WorkspaceTree, volumes: Volumes, python: PythonTasks) {
    this.#tree = tree;
    this.#volumes = volumes;
    this.#python = python;
  }

  /** The job's parameters win over those of the task, which win over nothing. */
  readonly runNotebook: Executor = async ({ work, run, task, values, signal }) => {
    const path = String(work["notebook_path"]);
    const base = isObject(work["base_parameters"]) ? (work["base_parameters"] as Record<string, string>) : {};
    const widgets = { ...base, ...run.given.notebook_params, ...run.given.parameters };
    const cells = await this.#cells(path, 0);
    const folder = dirname(await this.#tree.place(path));
    return this.#python.run({ kind: "notebook", cells, folder, widgets, values, requirements: requirements(run, task) }, signal);
  };

  readonly runFile: Executor = async ({ work, run, task, values, signal }) => {
    const file = String(work["python_file"]);
    const path = await found(file, async () => (file.startsWith("/Volumes/") ? this.#volumes.place(file) : this.#tree.place(file)));
    const given = run.given.python_params ?? work["parameters"] ?? [];
    const args = Array.isArray(given) ? given.map(String) : [];
    const requires = requirements(run, task);
    return this.#python.run({ kind: "file", path, arguments: args, folder: dirname(path), widgets: {}, values, requirements: requires }, signal);
  };

  /** The cells of a notebook, with those of the notebooks that it runs with `%run` in their place. */
  async #cells(path: string, depth: number): Promise<Cell[]> {
    if (depth > MAX_DEPTH) throw new TaskFailure(`Notebooks run each other with %run more than ${MAX_DEPTH} deep, the last being ${path}`);
    const { object, bytes } = await found(path, () => this.#tree.read(path));
    const { language } = object;
    if (language !== "PYTHON" && language !== "SQL") {
      throw new TaskFailure(`'${path}' is ${language ? `a notebook in ${language}` : "a file"}: the local workspace runs notebooks in Python and SQL`);
    }
    const cells: Cell[] = [];
    for (const { magic = language.toLowerCase(), text } of readCells(language, bytes.toString("utf8"))) {
      if (magic === "sql") cells.push(...statementsOf(path, text).map((text) => ({ magic, text })));
      else if (magic !== "run") cells.push({ magic, text });
      else cells.push(...(await this.#cells(posix.resolve(posix.dirname(path), text.trim().replace(/^(["'])(.*)\1$/, "$2")), depth + 1)));
    }
    return cells;
  }
}

/** A cell may have several statements, each of which is a call of its own. */
function statementsOf(path: string, text: string): string[] {
  try {
    return splitStatements(text);
  } catch (error) {
    throw new TaskFailure(`${path}: ${(error as Error).message}`);
  }
}

/** Turns the 404 of a path into a failure of the task. */
async function found<T>(path: string, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new TaskFailure(`Unable to access the notebook or file "${path}": ${error.message}`);
  }
}

/** The Python packages that a task says it needs, by its environment and its libraries. */
function requirements(run: Attempt["run"], task: Task): string[] {
  const environments = Array.isArray(run.settings["environments"]) ? run.settings["environments"].filter(isObject) : [];
  const environment = environments.find(({ environment_key }) => environment_key === task.environment && environment_key !== undefined);
  if (task.environment !== undefined && !environment) throw new TaskFailure(`The job has no environment '${task.environment}'`);
  const spec = isObject(environment?.["spec"]) ? environment["spec"] : {};
  const dependencies = Array.isArray(spec["dependencies"]) ? spec["dependencies"].map(String) : [];
  return [...dependencies, ...task.libraries.map(packageOf)];
}

function packageOf(library: unknown): string {
  const pypi = isObject(library) ? library["pypi"] : undefined;
  if (isObject(pypi) && typeof pypi["package"] === "string") return pypi["package"];
  throw new TaskFailure(`Only libraries from PyPI are checked in the local workspace, not ${JSON.stringify(library)}`);
}
