import { posix } from "node:path";
import { parseForm, parseObject, readAll } from "../http/bodies.js";
import { ApiError, invalid, notImplemented } from "../http/errors.js";
import { optionalBoolean, optionalString, requiredString } from "../http/fields.js";
import type { Call, Reply, Route } from "../http/router.js";
import { readJupyter, writeJupyter } from "../notebooks/jupyter.js";
import { type Language, LANGUAGES, languageOf, notebookLanguage, readCells, withHeader, writeCells } from "../notebooks/source.js";
import type { WorkspaceTree } from "../notebooks/tree.js";

const BASE = "/api/2.0/workspace";
/** Bytes of one imported file. Databricks takes 500 MB; here a file stands in memory while it is read from its form. */
const IMPORT_LIMIT = 100 << 20;

const FORMATS = ["SOURCE", "AUTO", "JUPYTER", "RAW", "HTML", "DBC", "R_MARKDOWN"] as const;
type Format = (typeof FORMATS)[number];

/** Notebooks, files and folders of the workspace. */
export class WorkspaceFilesRoutes {
  readonly #tree: WorkspaceTree;

  constructor(tree: WorkspaceTree) {
    this.#tree = tree;
  }

  routes(): Route[] {
    return [
      { method: "POST", path: `${BASE}/import`, raw: true, limit: IMPORT_LIMIT, handler: (call) => this.#import(call) },
      { method: "GET", path: `${BASE}/export`, handler: (call) => this.#export(call) },
      { method: "GET", path: `${BASE}/list`, handler: (call) => this.#list(call) },
      { method: "GET", path: `${BASE}/get-status`, handler: async (call) => ({ json: await this.#tree.get(queryPath(call)) }) },
      { method: "POST", path: `${BASE}/mkdirs`, handler: ({ body }) => this.#tree.makeDirectories(requiredString(body, "path")).then(done) },
      { method: "POST", path: `${BASE}/delete`, handler: ({ body }) =>
        this.#tree.remove(requiredString(body, "path"), optionalBoolean(body, "recursive") ?? false).then(done) },
    ];
  }

  async #import(call: Call): Promise<Reply> {
    const { path, format, language, overwrite, content } = await readImport(call);
    const object = read(path, format, language, content);
    await this.#tree.write(object.path, object.language, object.bytes, overwrite);
    return done();
  }

  async #export(call: Call): Promise<Reply> {
    const format = readFormat(call.query.get("format") || "SOURCE");
    const { object, bytes } = await this.#tree.read(queryPath(call));
    const { content, extension } = write(object.path, object.language, format, bytes);
    if (call.query.get("direct_download") === "true") {
      return { headers: { "content-type": "application/octet-stream", "content-length": String(content.length) }, bytes: content };
    }
    return { json: { content: content.toString("base64"), file_type: extension } };
  }

  async #list(call: Call): Promise<Reply> {
    const objects = await this.#tree.list(queryPath(call));
    const after = Number(call.query.get("notebooks_modified_after") ?? 0);
    const asked = objects.filter(({ object_type, modified_at }) => object_type !== "NOTEBOOK" || (modified_at ?? 0) >= after);
    return { json: asked.length > 0 ? { objects: asked } : {} };
  }
}

const done = (): Reply => ({ json: {} });
const queryPath = ({ query }: Call) => requiredString({ path: query.get("path") }, "path");

interface Import {
  path: string;
  format: Format;
  language: Language | undefined;
  overwrite: boolean;
  content: Buffer;
}

/** An import is JSON with the content in base64, or a form with the content as a file. */
async function readImport({ headers, bytes }: Call): Promise<Import> {
  const type = headers["content-type"] ?? "";
  const all = await readAll(bytes);
  const isForm = type.startsWith("multipart/form-data");
  const { content, ...fields } = isForm ? await parseForm(all, type) : parseObject(all.toString("utf8"));
  if (isForm && fields["overwrite"] !== undefined) fields["overwrite"] = fields["overwrite"] === "true";
  return {
    path: requiredString(fields, "path"),
    format: readFormat(optionalString(fields, "format") ?? "SOURCE"),
    language: readLanguage(optionalString(fields, "language")),
    overwrite: optionalBoolean(fields, "overwrite") ?? false,
    content: content instanceof Buffer ? content : isForm ? Buffer.from(String(content ?? "")) : readBase64(content),
  };
}

function readBase64(content: unknown): Buffer {
  const text = optionalString({ content }, "content") ?? "";
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) throw invalid("'content' must be base64.");
  return Buffer.from(text, "base64");
}

function readFormat(text: string): Format {
  const format = FORMATS.find((name) => name === text);
  if (!format) throw invalid(`'format' must be one of ${FORMATS.join(", ")}, not '${text}'.`);
  return format;
}

function readLanguage(text: string | undefined): Language | undefined {
  if (text !== undefined && !Object.hasOwn(LANGUAGES, text)) throw invalid(`'language' must be one of ${Object.keys(LANGUAGES).join(", ")}, not '${text}'.`);
  return text as Language | undefined;
}

/** What an import makes: a notebook with its language, or a file. */
function read(path: string, format: Format, language: Language | undefined, content: Buffer): { path: string; language?: Language; bytes: Uint8Array } {
  const extension = posix.extname(path).slice(1);
  const bare = path.slice(0, path.length - extension.length - 1);
  if (format === "RAW") return { path, bytes: content };
  if (format === "JUPYTER" || (format === "AUTO" && extension === "ipynb")) {
    const notebook = readJupyter(content.toString("utf8"));
    return { path: extension === "ipynb" ? bare : path, language: notebook.language, bytes: Buffer.from(writeCells(notebook.language, notebook.cells)) };
  }
  if (format === "AUTO") {
    const found = notebookLanguage(extension, content.toString("utf8"));
    return found ? { path: bare, language: found, bytes: content } : { path, bytes: content };
  }
  if (format === "SOURCE") {
    const known = language ?? languageOf(extension);
    if (!known) throw invalid("'language' is required to import a notebook from SOURCE. To import a file, pass format=AUTO or RAW.");
    return { path, language: known, bytes: Buffer.from(withHeader(known, content.toString("utf8"))) };
  }
  throw lacking(format);
}

/** A notebook or file in the format that is asked for. */
function write(path: string, language: Language | undefined, format: Format, bytes: Buffer): { content: Buffer; extension: string } {
  if (language === undefined) {
    if (format === "HTML" || format === "DBC" || format === "JUPYTER" || format === "R_MARKDOWN") throw invalid(`'${path}' is a file: export it with format=AUTO.`);
    return { content: bytes, extension: posix.extname(path).slice(1) };
  }
  if (format === "SOURCE" || format === "AUTO") return { content: bytes, extension: LANGUAGES[language].extension };
  if (format === "JUPYTER") return { content: Buffer.from(writeJupyter(language, readCells(language, bytes.toString("utf8")))), extension: "ipynb" };
  if (format === "RAW") throw new ApiError(400, "INVALID_PARAMETER_VALUE", `'${path}' is a notebook: RAW is for files. Export it with format=SOURCE or JUPYTER.`);
  throw lacking(format);
}

const lacking = (format: Format) => notImplemented(`The format ${format} is not part of the local workspace. It knows SOURCE, AUTO, JUPYTER and RAW.`);
