import { Worker } from "node:worker_threads";
import { ApiError } from "../http/errors.js";
import type { Condition } from "./filters/condition.js";
import type { Hit } from "./search/hits.js";
import type { Answer, Methods, WorkerPlaces } from "./search/protocol.js";
import type { StoredIndex } from "./store.js";

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Searches indexes in a thread of its own, so that neither a long search nor the indexing of many rows holds up the
 * server.
 */
export class Searcher {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #failure: Error | undefined;

  /** `file` is the SQLite file of the rows; what is made of them is kept in `folder`. */
  constructor(file: string, folder: string) {
    const places: WorkerPlaces = { file, folder };
    this.#worker = new Worker(new URL("./search/worker.js", import.meta.url), { workerData: places });
    this.#worker.on("message", (answer: Answer) => this.#settle(answer));
    this.#worker.on("error", (error: Error) => this.#fail(error));
  }

  /** Has an index made ready ahead of the first query. */
  open(index: StoredIndex): void {
    // A failure is told to the first query.
    this.#call("open", index).catch(() => undefined);
  }

  /** Tells of rows that were written, and of the numbers of those that are gone. Resolves when queries know of it. */
  async apply(index: StoredIndex, removed: number[]): Promise<void> {
    await this.#call("apply", index, removed);
  }

  /** The rows nearest to a vector, nearest first. The score is 1 / (1 + d²), d being the Euclidean distance. */
  nearest(index: StoredIndex, vector: number[], filter: Condition, limit: number): Promise<Hit[]> {
    return this.#call("nearest", index, vector, filter, limit);
  }

  /** The rows that share words with `text`, best first, ranked by BM25. The score is s / (1 + s) of the BM25 score s. */
  matching(index: StoredIndex, text: string, columns: string[] | undefined, filter: Condition, limit: number): Promise<Hit[]> {
    return this.#call("matching", index, text, columns, filter, limit);
  }

  /** Forgets an index whose rows are gone. */
  async drop(table: number): Promise<void> {
    await this.#call("drop", table);
  }

  async close(): Promise<void> {
    if (!this.#failure) await this.#call("close");
    await this.#worker.terminate();
  }

  #call<Name extends keyof Methods>(method: Name, ...args: Parameters<Methods[Name]>): ReturnType<Methods[Name]> {
    if (this.#failure) return Promise.reject(this.#failure) as ReturnType<Methods[Name]>;
    const id = this.#next++;
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, args });
    }) as ReturnType<Methods[Name]>;
  }

  #settle({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!error) waiting?.resolve(value);
    else if (error.known) waiting?.reject(new ApiError(error.known.status, error.known.code, error.message, { retryAfter: error.known.retryAfter }));
    else waiting?.reject(Object.assign(new Error(error.message), { stack: error.stack }));
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
