import { invalid, missing } from "../http/errors.js";
import type { StoredIndex } from "../vector/store.js";
import type { Embedder } from "./embedder.js";

/** The embedding models by the name of their serving endpoint. */
export class Embeddings {
  readonly #models: Map<string, Embedder>;

  constructor(models: Record<string, Embedder>) {
    this.#models = new Map(Object.entries(models));
  }

  model(endpoint: string): Embedder {
    const model = this.#models.get(endpoint);
    if (!model) throw missing(`Embedding endpoint '${endpoint}' does not exist; there is ${[...this.#models.keys()].join(", ")}.`);
    return model;
  }

  /** Vectors of rows that fit an index: made by the endpoint it names, which must still serve the model it was filled with. */
  embedFor(index: StoredIndex, texts: string[]): Promise<number[][]> {
    return this.#embed(index, index.embeddingEndpoint, texts);
  }

  /** The vector of a query text for an index: made by the endpoint it names for queries, likewise. */
  async embedQuery(index: StoredIndex, text: string): Promise<number[]> {
    const [vector = []] = await this.#embed(index, index.queryEndpoint ?? index.embeddingEndpoint, [text]);
    return vector;
  }

  async #embed(index: StoredIndex, endpoint: string | undefined, texts: string[]): Promise<number[][]> {
    if (endpoint === undefined) {
      throw invalid(`Index '${index.name}' has no embedding model: send 'query_vector' instead of 'query_text'.`);
    }
    const model = this.model(endpoint);
    if (model.id !== index.model) {
      throw invalid(
        `Index '${index.name}' holds vectors of ${index.model}, but '${endpoint}' now serves ${model.id}: ` +
          "delete the index and fill it anew.",
      );
    }
    return (await model.embed(texts)).vectors;
  }
}
