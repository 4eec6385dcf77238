import { Numbers } from "./numbers.js";

/** Cells of a block before its entries: where the next block is, and how many entries there is room for. */
const HEADER = 2;
const FIRST_ROOM = 2;
const MAX_ROOM = 1024;
/** Bits of an entry that hold how often the word occurs; the others hold the row. */
const COUNT_BITS = 4;
const MAX_COUNT = (1 << COUNT_BITS) - 1;
const MAX_ROW = 2 ** (32 - COUNT_BITS) - 1;

/** How often a word occurs in an entry's row: up to 15, which BM25 can hardly tell from more. */
export const countOf = (entry: number) => entry & MAX_COUNT;
export const rowOf = (entry: number) => entry >>> COUNT_BITS;

/**
 * For each term the rows that it occurs in, in ascending order, and how often: one cell of 32 bits a row.
 *
 * The cells of a term lie in a chain of blocks that double in size up to 1024, all in one list: no object a term or
 * a row, and nothing is moved when a term gets another row.
 */
export class Postings {
  /** By term: the first block, the last block, entries in the last block, rows altogether. */
  readonly #terms: Numbers;
  readonly #cells: Numbers;

  constructor(terms = new Numbers(), cells = new Numbers()) {
    this.#terms = terms;
    this.#cells = cells;
  }

  /** What it consists of, to be saved. */
  get parts(): { terms: Numbers; cells: Numbers } {
    return { terms: this.#terms, cells: this.#cells };
  }

  addTerm(): number {
    const term = this.#terms.length / 4;
    this.#terms.extend(4);
    const block = this.#addBlock(FIRST_ROOM);
    this.#terms.items.set([block, block, 0, 0], term * 4);
    return term;
  }

  #addBlock(room: number): number {
    const block = this.#cells.length;
    this.#cells.extend(HEADER + room);
    this.#cells.items[block] = 0;
    this.#cells.items[block + 1] = room;
    return block;
  }

  /** Rows of a term must come in ascending order. */
  add(term: number, row: number, count: number): void {
    if (row > MAX_ROW) throw new Error(`An index holds ${MAX_ROW} writes at most: delete it and fill it anew.`);
    const { items } = this.#terms;
    let last = items[term * 4 + 1] ?? 0;
    let used = items[term * 4 + 2] ?? 0;
    const room = this.#cells.items[last + 1] ?? 0;
    if (used === room) {
      const next = this.#addBlock(Math.min(room * 2, MAX_ROOM));
      this.#cells.items[last] = next;
      last = next;
      used = 0;
    }
    this.#cells.items[last + HEADER + used] = ((row << COUNT_BITS) | Math.min(count, MAX_COUNT)) >>> 0;
    items[term * 4 + 1] = last;
    items[term * 4 + 2] = used + 1;
    items[term * 4 + 3] = (items[term * 4 + 3] ?? 0) + 1;
  }

  /** In how many rows a term occurs, with those that were deleted since. */
  rows(term: number): number {
    return this.#terms.items[term * 4 + 3] ?? 0;
  }

  /** The entries of a term, block by block. */
  *blocks(term: number): Generator<Uint32Array> {
    const { items } = this.#cells;
    const last = this.#terms.items[term * 4 + 1] ?? 0;
    for (let block = this.#terms.items[term * 4] ?? 0; ; block = items[block] ?? 0) {
      const used = block === last ? (this.#terms.items[term * 4 + 2] ?? 0) : (items[block + 1] ?? 0);
      yield items.subarray(block + HEADER, block + HEADER + used);
      if (block === last) return;
    }
  }
}
