import { readFile } from "node:fs/promises";
import { Tokenizer } from "@huggingface/tokenizers";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { weightsPath } from "./weights.js";

/** The longest text that all-MiniLM-L6-v2 was trained on, in tokens; longer ones are cut, as in sentence-transformers. */
const MAX_TOKENS = 256;
const BATCH_SIZE = 8;
const SEPARATOR = 102;

/** all-MiniLM-L6-v2, run by ONNX Runtime: texts in, vectors of length 1 out. */
export class Embedder {
  /** Stored with an index, so that vectors of different models are never mixed. */
  readonly id = "all-minilm-l6-v2";
  readonly dimension = 384;
  readonly #session: InferenceSession;
  readonly #tokenizer: Tokenizer;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(session: InferenceSession, tokenizer: Tokenizer) {
    this.#session = session;
    this.#tokenizer = tokenizer;
  }

  static async load(): Promise<Embedder> {
    const [model, tokenizer] = [weightsPath("minilm", "model.onnx"), weightsPath("minilm", "tokenizer.json")];
    // One thread: a second one makes a text no faster, and takes it from the language model.
    const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    return new Embedder(session, new Tokenizer(JSON.parse(await readFile(tokenizer, "utf8")) as object, {}));
  }

  /** The vectors of these texts, and how many tokens they were. Batches of concurrent calls take turns. */
  async embed(texts: string[]): Promise<{ vectors: number[][]; tokens: number }> {
    const encoded = texts.map((text) => this.#encode(text));
    const vectors: number[][] = [];
    for (let i = 0; i < encoded.length; i += BATCH_SIZE) {
      const batch = encoded.slice(i, i + BATCH_SIZE);
      const turn = this.#turn.then(() => this.#run(batch));
      this.#turn = turn.catch(() => undefined);
      vectors.push(...(await turn));
    }
    return { vectors, tokens: encoded.reduce((sum, ids) => sum + ids.length, 0) };
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#session.release();
  }

  #encode(text: string): number[] {
    const { ids } = this.#tokenizer.encode(text);
    return ids.length <= MAX_TOKENS ? ids : [...ids.slice(0, MAX_TOKENS - 1), SEPARATOR];
  }

  async #run(batch: number[][]): Promise<number[][]> {
    const length = Math.max(...batch.map((ids) => ids.length));
    const tensor = (value: (ids: number[], position: number) => number) => {
      const data = new BigInt64Array(batch.length * length);
      for (const [row, ids] of batch.entries()) {
        for (let i = 0; i < length; i++) data[row * length + i] = BigInt(value(ids, i));
      }
      return new Tensor("int64", data, [batch.length, length]);
    };
    const output = await this.#session.run({
      input_ids: tensor((ids, i) => ids[i] ?? 0),
      attention_mask: tensor((ids, i) => (i < ids.length ? 1 : 0)),
      token_type_ids: tensor(() => 0),
    });
    const states = output["last_hidden_state"]?.data as Float32Array;
    return batch.map((ids, row) => this.#pool(states, row * length, ids.length));
  }

  /** The mean of the token states, scaled to length 1. */
  #pool(states: Float32Array, start: number, count: number): number[] {
    const sum = new Array<number>(this.dimension).fill(0);
    for (let token = start; token < start + count; token++) {
      for (let i = 0; i < this.dimension; i++) sum[i] = (sum[i] ?? 0) + (states[token * this.dimension + i] ?? 0);
    }
    const norm = Math.hypot(...sum);
    return sum.map((x) => x / norm);
  }
}
