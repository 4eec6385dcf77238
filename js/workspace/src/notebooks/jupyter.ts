import { invalid } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import { type Cell, type Language, LANGUAGES } from "./source.js";

/** Reads a Jupyter notebook (nbformat 4): its language and cells. Outputs are dropped, as Databricks does for source. */
export function readJupyter(text: string): { language: Language; cells: Cell[] } {
  let notebook: unknown;
  try {
    notebook = JSON.parse(text);
  } catch {
    notebook = undefined;
  }
  if (!isObject(notebook) || !Array.isArray(notebook["cells"])) throw invalid("'content' is not a Jupyter notebook: it must be JSON with a list of 'cells'.");
  const metadata = isObject(notebook["metadata"]) ? notebook["metadata"] : {};
  const info = isObject(metadata["language_info"]) ? metadata["language_info"]["name"] : undefined;
  const name = String(info ?? "python").toUpperCase();
  if (!Object.hasOwn(LANGUAGES, name)) throw invalid(`A notebook is in ${Object.keys(LANGUAGES).join(", ")}, not in ${name}.`);
  return { language: name as Language, cells: notebook["cells"].filter(isObject).map(readCell) };
}

function readCell(cell: Record<string, unknown>): Cell {
  const source = cell["source"];
  const text = (Array.isArray(source) ? source.join("") : String(source ?? "")).trimEnd();
  if (cell["cell_type"] === "markdown") return { magic: "md", text };
  const magic = /^%([a-z-]+)[ \t]*\n?/.exec(text);
  return magic ? { magic: magic[1] as string, text: text.slice(magic[0].length) } : { text };
}

/** Writes cells as a Jupyter notebook. */
export function writeJupyter(language: Language, cells: Cell[]): string {
  const name = language.toLowerCase();
  const written = cells.map(({ magic, text }) => {
    if (magic === "md") return { cell_type: "markdown", metadata: {}, source: lines(text) };
    const source = magic === undefined ? text : `%${magic}\n${text}`;
    return { cell_type: "code", execution_count: null, metadata: {}, outputs: [], source: lines(source) };
  });
  return JSON.stringify({ cells: written, metadata: { language_info: { name } }, nbformat: 4, nbformat_minor: 0 }, null, 1);
}

const lines = (text: string) => text.split(/(?<=\n)/);
