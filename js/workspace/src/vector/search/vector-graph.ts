import { availableParallelism } from "node:os";
import { Index, MetricKind, ScalarKind } from "usearch";
import { RowSet } from "../row-set.js";

/** Neighbours of a node, and how widely they are sought when it is added: 100 keeps recall at a million vectors. */
const CONNECTIVITY = 16;
const EXPANSION_ADD = 100;
const EXPANSION_SEARCH = 64;
/** How far beyond the largest component of the sample the scale reaches. */
const HEADROOM = 1.5;
/** The largest step of an 8-bit component. */
const STEPS = 127;

/**
 * The nearest rows to a vector, approximately: a graph of small worlds (HNSW, by USearch) over vectors of 8 bits a
 * component. A million vectors of 384 dimensions take 0.7 GB. Who asks must order the rows by their exact distances.
 */
export class VectorGraph {
  readonly rows: RowSet;
  readonly dimension: number;
  /** Components from -range to range are told apart; larger ones are cut. */
  readonly range: number;
  /** The last row that was added. */
  last: number;
  readonly #index: Index;

  private constructor(dimension: number, range: number, rows: RowSet, last: number) {
    this.dimension = dimension;
    this.range = range;
    this.rows = rows;
    this.last = last;
    this.#index = new Index({
      dimensions: dimension,
      metric: MetricKind.L2sq,
      quantization: ScalarKind.I8,
      connectivity: CONNECTIVITY,
      expansion_add: EXPANSION_ADD,
      expansion_search: EXPANSION_SEARCH,
      multi: false,
    });
  }

  /** An empty graph for vectors like those of the sample. */
  static for(dimension: number, sample: Float32Array[]): VectorGraph {
    const largest = Math.max(0, ...sample.map(largestComponent));
    return new VectorGraph(dimension, largest === 0 ? 1 : largest * HEADROOM, new RowSet(), 0);
  }

  /** A graph that was saved. */
  static load(file: string, dimension: number, range: number, rows: RowSet, last: number): VectorGraph {
    const graph = new VectorGraph(dimension, range, rows, last);
    graph.#index.load(file);
    if (graph.#index.size() !== rows.size) throw new Error(`${file} holds ${graph.#index.size()} vectors instead of ${rows.size}.`);
    return graph;
  }

  save(file: string): void {
    this.#index.save(file);
  }

  /** True if these vectors are so large that the graph would confuse them: it must be made anew. */
  isExceededBy(vectors: Float32Array[]): boolean {
    return vectors.some((vector) => largestComponent(vector) > 2 * this.range);
  }

  /** Adds rows, which must come in ascending order. */
  add(numbers: number[], vectors: Float32Array[]): void {
    if (numbers.length === 0) return;
    const matrix = new Int8Array(vectors.length * this.dimension);
    for (const [i, vector] of vectors.entries()) this.#quantize(vector, matrix.subarray(i * this.dimension, (i + 1) * this.dimension));
    this.#index.add(BigUint64Array.from(numbers, BigInt), matrix, availableParallelism());
    for (const number of numbers) this.rows.add(number);
    this.last = numbers.at(-1) ?? this.last;
  }

  remove(number: number): void {
    if (this.rows.delete(number)) this.#index.remove(BigInt(number));
  }

  /** The numbers of the `count` rows that are likely to be the nearest, nearest first. */
  nearest(vector: Float32Array, count: number): number[] {
    const limit = Math.min(count, this.rows.size);
    if (limit === 0) return [];
    const query = new Int8Array(this.dimension);
    this.#quantize(vector, query);
    const { keys } = this.#index.search(query, limit, 1);
    return Array.from(keys, Number).filter((row) => this.rows.has(row));
  }

  #quantize(vector: Float32Array, target: Int8Array): void {
    const scale = STEPS / this.range;
    for (let i = 0; i < target.length; i++) {
      target[i] = Math.max(-STEPS, Math.min(STEPS, Math.round((vector[i] ?? 0) * scale)));
    }
  }
}

function largestComponent(vector: Float32Array): number {
  let largest = 0;
  for (const x of vector) largest = Math.max(largest, Math.abs(x));
  return largest;
}
