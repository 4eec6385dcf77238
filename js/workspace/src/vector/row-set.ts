/** A growing set of row numbers: one byte a number, as rows are dense. */
export class RowSet {
  #present: Uint8Array;
  #size = 0;

  constructor(present: Uint8Array = new Uint8Array(1024)) {
    this.#present = present;
    for (const one of present) this.#size += one;
  }

  get size(): number {
    return this.#size;
  }

  /** A byte a row, 1 for those in the set. */
  get bytes(): Uint8Array {
    return this.#present;
  }

  has(row: number): boolean {
    return this.#present[row] === 1;
  }

  add(row: number): void {
    if (row >= this.#present.length) {
      const grown = new Uint8Array(Math.max(row + 1, this.#present.length * 2));
      grown.set(this.#present);
      this.#present = grown;
    }
    if (!this.has(row)) this.#size++;
    this.#present[row] = 1;
  }

  delete(row: number): boolean {
    if (!this.has(row)) return false;
    this.#present[row] = 0;
    this.#size--;
    return true;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let row = this.#present.indexOf(1); row !== -1; row = this.#present.indexOf(1, row + 1)) yield row;
  }
}
