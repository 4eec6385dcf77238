/** A list of 32-bit numbers that grows by half when it is full. */
export class Numbers {
  #items: Uint32Array;
  length: number;

  constructor(items: Uint32Array = new Uint32Array(64), length = 0) {
    this.#items = items;
    this.length = length;
  }

  /** The room behind the list, of which the first `length` items are in use. */
  get items(): Uint32Array {
    return this.#items;
  }

  get used(): Uint32Array {
    return this.#items.subarray(0, this.length);
  }

  push(value: number): void {
    this.extend(1);
    this.#items[this.length - 1] = value;
  }

  /** Adds zeros. */
  extend(count: number): void {
    const length = this.length + count;
    if (length > this.#items.length) {
      const grown = new Uint32Array(Math.ceil(length * 1.5));
      grown.set(this.used);
      this.#items = grown;
    }
    this.length = length;
  }
}
