import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import type { Embeddings } from "../models/embeddings.js";
import type { Row } from "../vector/columns.js";
import { readDirectDefinition, type IndexDefinition } from "../vector/definition.js";
import type { StoredIndex, VectorStore } from "../vector/store.js";
import { readFrontMatter } from "./front-matter.js";
import { splitPassages } from "./passages.js";

export const DOCUMENTS_ENDPOINT = "local-search";
export const DOCUMENTS_INDEX = "main.default.handbook";

/** Goes into the hash of every document: a new number here has all documents read anew. */
const FORMAT = 2;

/** What the index of a knowledge base looks like. `embedding` holds the vector of "title > heading" and the text. */
const COLUMNS = {
  id: "string",
  document: "string",
  title: "string",
  heading: "string",
  text: "string",
  uri: "string",
  audience: "string",
  region: "string",
  department: "string",
  position: "int",
  embedding: "array<float>",
};

/** How far the reading of documents is. */
export interface Progress {
  /** Documents looked at so far, of how many. */
  done: number;
  total: number;
  /** Documents that were new or changed. */
  changed: number;
}

/**
 * Keeps the index of a knowledge base equal to a folder of Markdown files: reads what is new or changed, document by
 * document, and forgets what is gone.
 */
export class DocumentLoader {
  readonly #store: VectorStore;
  readonly #embeddings: Embeddings;
  readonly #embeddingEndpoint: string;

  constructor(store: VectorStore, embeddings: Embeddings, embeddingEndpoint: string) {
    this.#store = store;
    this.#embeddings = embeddings;
    this.#embeddingEndpoint = embeddingEndpoint;
  }

  /** Makes the endpoint and the index where they are missing. */
  async prepare(): Promise<void> {
    if (!this.#store.endpoints.find(DOCUMENTS_ENDPOINT)) this.#store.endpoints.create(DOCUMENTS_ENDPOINT, { type: "STANDARD" });
    const model = this.#embeddings.model(this.#embeddingEndpoint).id;
    const definition = this.#definition();
    const found = this.#store.findIndex(DOCUMENTS_INDEX);
    if (found && found.model === model && JSON.stringify(found.columns) === JSON.stringify(definition.columns)) return;
    if (found) await this.#store.deleteIndex(DOCUMENTS_INDEX);
    this.#store.createIndex(definition, model);
  }

  #definition(): IndexDefinition {
    const body = {
      name: DOCUMENTS_INDEX,
      index_type: "DIRECT_ACCESS",
      primary_key: "id",
      direct_access_index_spec: {
        schema_json: JSON.stringify(COLUMNS),
        embedding_vector_columns: [{ name: "embedding", embedding_dimension: this.#embeddings.model(this.#embeddingEndpoint).dimension }],
        embedding_source_columns: [{ name: "text", embedding_model_endpoint_name: this.#embeddingEndpoint }],
      },
    };
    return readDirectDefinition(body, DOCUMENTS_ENDPOINT, (name) => this.#embeddings.model(name).dimension);
  }

  /** True if nothing was ever read into the index. */
  isEmpty(): boolean {
    return this.#store.documentHashes(this.#store.index(DOCUMENTS_INDEX)).size === 0;
  }

  /** Brings the index up to date with the folder. Stops between two documents when the signal aborts. */
  async load(folder: string, onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<Progress> {
    const index = this.#store.index(DOCUMENTS_INDEX);
    const known = this.#store.documentHashes(index);
    const files = await markdownFiles(folder);
    const progress = { done: 0, total: files.length, changed: 0 };
    for (const gone of known.keys()) {
      if (!files.includes(gone)) await this.#store.replaceDocument(index, gone, undefined, []);
    }
    for (const file of files) {
      if (signal.aborted) return progress;
      const source = await readFile(join(folder, file), "utf8");
      const hash = createHash("sha256").update(`${FORMAT}\0${source}`).digest("hex");
      if (known.get(file) !== hash) {
        await this.#store.replaceDocument(index, file, hash, await this.#rows(index, file, source));
        progress.changed++;
      }
      progress.done++;
      onProgress(progress);
    }
    return progress;
  }

  async #rows(index: StoredIndex, file: string, source: string): Promise<Row[]> {
    const { info, body } = readFrontMatter(source, posix.basename(file, ".md"));
    const passages = splitPassages(body);
    const place = (heading: string) => (heading === "" ? info.title : `${info.title} > ${heading}`);
    const vectors = await this.#embeddings.embedFor(index, passages.map(({ heading, text }) => `${place(heading)}\n${text}`));
    return passages.map(({ heading, text }, position) => ({
      id: `${file}#${position}`,
      document: file,
      ...info,
      heading,
      text,
      uri: `${file}${anchor(heading)}`,
      position,
      embedding: vectors[position],
    }));
  }
}

/** The Markdown files under a folder, as paths with forward slashes, sorted. */
async function markdownFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith(".md"))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, sep).length).replaceAll(sep, "/"))
    .sort();
}

/** The fragment of a heading, as GitHub makes it. */
function anchor(heading: string): string {
  const last = heading.split(" > ").at(-1) ?? "";
  const slug = last.toLowerCase().replace(/[^\p{L}\p{N}\s-]/gu, "").trim().replace(/\s+/g, "-");
  return slug && `#${slug}`;
}
