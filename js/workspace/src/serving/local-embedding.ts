import { invalid } from "../http/errors.js";
import type { Reply } from "../http/router.js";
import type { Embedder } from "../models/embedder.js";
import type { Question, ServedModel } from "./served-model.js";

/** Databricks' limit of texts in one request. */
const MAX_INPUTS = 150;

/** The workspace's own embedding model. */
export class LocalEmbedding implements ServedModel {
  readonly task = "llm/v1/embeddings";
  readonly #embedder: Embedder;

  constructor(embedder: Embedder) {
    this.#embedder = embedder;
  }

  async ask({ kind, body }: Question): Promise<Reply> {
    if (kind !== "embeddings") throw invalid("This model makes embeddings: send 'input' to its invocations or to /serving-endpoints/embeddings.");
    const input = typeof body["input"] === "string" ? [body["input"]] : body["input"];
    if (!Array.isArray(input) || !input.every((text) => typeof text === "string")) {
      throw invalid("'input' must be a string or a list of strings.");
    }
    if (input.length === 0 || input.length > MAX_INPUTS) throw invalid(`'input' takes 1 to ${MAX_INPUTS} texts, not ${input.length}.`);
    const { id, dimension } = this.#embedder;
    if ((body["dimensions"] ?? dimension) !== dimension) throw invalid(`'dimensions' can only be ${dimension} with this model.`);
    const { vectors, tokens } = await this.#embedder.embed(input);
    const encode = body["encoding_format"] === "base64" ? toBase64 : (vector: number[]) => vector;
    return {
      headers: { "served-model-name": id },
      json: {
        object: "list",
        model: id,
        data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) })),
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      },
    };
  }
}

const toBase64 = (vector: number[]) => Buffer.from(Float32Array.from(vector).buffer).toString("base64");
