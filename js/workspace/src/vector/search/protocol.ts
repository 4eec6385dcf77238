import type { Condition } from "../filters/condition.js";
import type { StoredIndex } from "../store.js";
import type { Hit } from "./hits.js";

/** What the search thread does when asked. */
export interface Methods {
  /** Makes an index ready for queries: reads its snapshot, and the rows that came after it. */
  open(index: StoredIndex): Promise<void>;
  apply(index: StoredIndex, removed: number[]): Promise<void>;
  nearest(index: StoredIndex, vector: number[], filter: Condition, limit: number): Promise<Hit[]>;
  matching(index: StoredIndex, text: string, columns: string[] | undefined, filter: Condition, limit: number): Promise<Hit[]>;
  drop(table: number): Promise<void>;
  /** Saves what takes long to make again. */
  close(): Promise<void>;
}

export interface Question {
  id: number;
  method: keyof Methods;
  args: unknown[];
}

/** The value, or the error; `known` if it is one to tell the client. */
export interface Answer {
  id: number;
  value?: unknown;
  error?: { message: string; stack?: string | undefined; known?: { status: number; code: string; retryAfter: number | undefined } };
}

/** Where the thread finds the rows, and keeps what it makes of them. */
export interface WorkerPlaces {
  file: string;
  folder: string;
}
