import type { Hit } from "./hits.js";
import { best, threshold } from "./hits.js";
import { Numbers } from "./numbers.js";
import { countOf, Postings, rowOf } from "./postings.js";
import { RowSet } from "../row-set.js";
import { readWords } from "./words.js";

/** The usual constants of BM25. */
const K1 = 1.2;
const B = 0.75;
/** Up to this many allowed rows are looked up in each term, instead of all rows of the term being gone through. */
const FEW_ROWS = 5_000;

/** One text column: its terms, and the number of words of each row. */
interface Column {
  terms: Map<string, number>;
  lengths: Numbers;
  /** Rows with a text, and their words together. */
  rows: number;
  words: number;
}

/** What a text index is saved as. */
export interface TextSnapshot {
  columns: Array<{ terms: string[]; numbers: Uint32Array; lengths: Uint32Array; rows: number; words: number }>;
  terms: Uint32Array;
  cells: Uint32Array;
  present: Uint8Array;
  last: number;
}

/** One word of a query in one column. */
interface Scored {
  term: number;
  column: Column;
  /** Inverse document frequency: how much the word says. */
  weight: number;
}

/**
 * Full-text search over the text columns of an index, ranked by BM25: the score of a row is the sum over its columns.
 *
 * SQLite's FTS5 scores every row that has one of the words: 0.3 s for a common word in 200,000 rows. This goes from the
 * rarest word to the commonest, and once no new row can reach the best, it only looks up the rows that it has.
 *
 * The loops over rows index typed arrays without checks for undefined: they run a million times a query.
 */
export class TextIndex {
  readonly rows: RowSet;
  /** The last row that was added. */
  last: number;
  readonly #columns: Map<string, Column>;
  readonly #postings: Postings;
  /** Scores by row while a query runs, and zeros in between. */
  #scores = new Float32Array(1024);

  constructor(names: string[], saved?: TextSnapshot) {
    this.rows = new RowSet(saved?.present);
    this.last = saved?.last ?? 0;
    this.#postings = saved ? new Postings(list(saved.terms), list(saved.cells)) : new Postings();
    this.#columns = new Map(
      names.map((name, i) => {
        const column = saved?.columns[i];
        if (!column) return [name, { terms: new Map(), lengths: new Numbers(), rows: 0, words: 0 }];
        const terms = new Map(column.terms.map((term, t) => [term, column.numbers[t] ?? 0]));
        return [name, { terms, lengths: list(column.lengths), rows: column.rows, words: column.words }];
      }),
    );
  }

  snapshot(): TextSnapshot {
    const { terms, cells } = this.#postings.parts;
    const columns = [...this.#columns.values()].map(({ terms, lengths, rows, words }) => ({
      terms: [...terms.keys()],
      numbers: Uint32Array.from(terms.values()),
      lengths: lengths.used,
      rows,
      words,
    }));
    return { columns, terms: terms.used, cells: cells.used, present: this.rows.bytes, last: this.last };
  }

  /** Adds a row; rows must come in ascending order. */
  add(row: number, texts: Array<[string, string | null]>): void {
    this.rows.add(row);
    this.last = row;
    for (const [name, text] of texts) {
      const column = this.#columns.get(name);
      const words = text === null ? [] : readWords(text);
      if (!column || words.length === 0) continue;
      const counts = new Map<string, number>();
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
      for (const [word, count] of counts) {
        let term = column.terms.get(word);
        if (term === undefined) column.terms.set(word, (term = this.#postings.addTerm()));
        this.#postings.add(term, row, count);
      }
      if (row >= column.lengths.length) column.lengths.extend(row + 1 - column.lengths.length);
      column.lengths.items[row] = words.length;
      column.rows++;
      column.words += words.length;
    }
  }

  /** Forgets a row. Its entries stay, and are passed over. */
  remove(row: number): void {
    if (!this.rows.delete(row)) return;
    for (const column of this.#columns.values()) {
      const length = row < column.lengths.length ? (column.lengths.items[row] ?? 0) : 0;
      if (length === 0) continue;
      column.lengths.items[row] = 0;
      column.rows--;
      column.words -= length;
    }
  }

  /** The `limit` best rows for a text, best first, among the `allowed` ones if given. */
  matching(text: string, columns: string[] | undefined, limit: number, allowed: RowSet = this.rows): Hit[] {
    const query = this.#scored(text, columns);
    if (this.#scores.length < this.rows.bytes.length) this.#scores = new Float32Array(this.rows.bytes.length);
    const touched = allowed.size <= FEW_ROWS ? this.#scoreOnly(query, allowed) : this.#scoreAll(query, limit, allowed.bytes);
    const hits = best(touched, this.#scores, limit);
    for (let i = 0; i < touched.length; i++) this.#scores[touched[i]!] = 0;
    return hits;
  }

  /** The words of the query in the columns that have them, the rarest first. */
  #scored(text: string, names: string[] | undefined): Scored[] {
    const words = new Set(readWords(text));
    const query: Scored[] = [];
    for (const [name, column] of this.#columns) {
      if (names && !names.includes(name)) continue;
      for (const word of words) {
        const term = column.terms.get(word);
        if (term === undefined) continue;
        const rows = Math.min(this.#postings.rows(term), column.rows);
        query.push({ term, column, weight: Math.log(1 + (column.rows - rows + 0.5) / (rows + 0.5)) });
      }
    }
    return query.sort((a, b) => b.weight - a.weight);
  }

  #scoreAll(query: Scored[], limit: number, allowed: Uint8Array): Uint32Array {
    const touched = new Numbers();
    for (const [i, scored] of query.entries()) {
      // A word adds less than K1 + 1 times its weight: what a row can still get.
      const rest = query.slice(i).reduce((sum, { weight }) => sum + weight * (K1 + 1), 0);
      const floor = i === 0 ? 0 : threshold(touched.used, this.#scores, limit);
      if (floor > rest) {
        const candidates = this.#reaching(touched.used, floor - rest);
        for (const common of query.slice(i)) this.#lookUp(common, candidates);
        break;
      }
      this.#scan(scored, touched, allowed);
    }
    return touched.used;
  }

  /** Those of the rows that have this score at least, in ascending order. */
  #reaching(rows: Uint32Array, score: number): Uint32Array {
    const reaching = new Numbers();
    for (let i = 0; i < rows.length; i++) if (this.#scores[rows[i]!]! >= score) reaching.push(rows[i]!);
    return reaching.used.sort();
  }

  #scoreOnly(query: Scored[], allowed: RowSet): Uint32Array {
    const rows = Uint32Array.from(allowed);
    for (const scored of query) this.#lookUp(scored, rows);
    return rows;
  }

  /** Scores every row of a term that is allowed. */
  #scan({ term, column, weight }: Scored, touched: Numbers, allowed: Uint8Array): void {
    const scores = this.#scores;
    const lengths = column.lengths.items;
    const factor = weight * (K1 + 1);
    const perWord = (K1 * B * column.rows) / column.words;
    let count = touched.length;
    touched.extend(this.#postings.rows(term));
    const rows = touched.items;
    for (const block of this.#postings.blocks(term)) {
      for (let i = 0; i < block.length; i++) {
        const entry = block[i]!;
        const row = rowOf(entry);
        const length = lengths[row]!;
        if (length === 0 || allowed[row] !== 1) continue;
        const before = scores[row]!;
        if (before === 0) rows[count++] = row;
        const times = countOf(entry);
        scores[row] = before + (factor * times) / (times + K1 * (1 - B) + perWord * length);
      }
    }
    touched.length = count;
  }

  /** Scores those of the rows that a term has; `rows` is in ascending order. */
  #lookUp({ term, column, weight }: Scored, rows: Uint32Array): void {
    const scores = this.#scores;
    const factor = weight * (K1 + 1);
    const perWord = (K1 * B * column.rows) / column.words;
    let next = 0;
    for (const block of this.#postings.blocks(term)) {
      const last = rowOf(block[block.length - 1] ?? 0);
      for (let from = 0; next < rows.length && rows[next]! <= last; next++) {
        const row = rows[next]!;
        from = lowerBound(block, row, from);
        const entry = block[from] ?? 0;
        const length = column.lengths.items[row] ?? 0;
        if (rowOf(entry) !== row || length === 0) continue;
        const times = countOf(entry);
        scores[row] = scores[row]! + (factor * times) / (times + K1 * (1 - B) + perWord * length);
      }
      if (next === rows.length) return;
    }
  }
}

/** The first place from `from` on whose row is not below `row`. */
function lowerBound(block: Uint32Array, row: number, from: number): number {
  let low = from;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rowOf(block[middle]!) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

const list = (items: Uint32Array) => new Numbers(items, items.length);
