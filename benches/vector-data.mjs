// The documents and queries of the vector bench: the same ones for the same seed.
//
// Vectors: 384 dimensions of length 1, in clusters (one for 500 documents) whose sizes fall like a power law. Within a
// cluster they vary along 32 directions that all clusters share, with a little noise in every dimension: as embeddings of
// texts do, and unlike uniform noise, in which every document is as far away as every other.
// Texts: 60 words drawn from 30,000 by Zipf's law, so that the commonest word is in nearly all documents.
// Queries: a document's vector, moved a little, and four of its words.
import { stemmer } from 'stemmer';

export const DIMENSION = 384;
const DIRECTIONS = 32;
const DOCUMENTS_PER_CLUSTER = 500;
const VOCABULARY = 30_000;
const WORDS = 60;
const QUERY_WORDS = 4;
export const KINDS = 10;
export const BATCHES = 1000;

/** Random numbers from 0 to 1 (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Normally distributed numbers (Box and Muller). */
const normal = (next) => Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next());

/** Words of syllables that stemming leaves as they are, so that each is one term of the index. */
function vocabulary() {
  const consonants = [...'bdfgklmnprstvz'];
  const vowels = [...'aeiou'];
  const syllables = consonants.flatMap((c) => vowels.map((v) => c + v));
  const words = [];
  for (let i = 0; words.length < VOCABULARY; i++) {
    let word = 'k';
    for (let rest = i + 1; rest > 0; rest = Math.floor(rest / syllables.length)) word = syllables[rest % syllables.length] + word;
    if (stemmer(word) === word) words.push(word);
  }
  return words;
}

/** A word's number by a number from 0 to 65535: word i is drawn in proportion to 1 / (i + 1). */
function zipf() {
  const cumulative = new Float64Array(VOCABULARY);
  let sum = 0;
  for (let i = 0; i < VOCABULARY; i++) cumulative[i] = sum += 1 / (i + 1);
  const table = new Uint16Array(65536);
  for (let i = 0, word = 0; i < table.length; i++) {
    while (cumulative[word] < ((i + 0.5) / table.length) * sum) word++;
    table[i] = word;
  }
  return table;
}

const rounded = (x) => Math.round(x * 1e5) / 1e5;

/** `count` documents: `vectors` and `words` one after the other, and functions that give one as the API takes it. */
export function makeDocuments(count, seed) {
  const next = random(seed);
  const clusters = Math.max(20, Math.floor(count / DOCUMENTS_PER_CLUSTER));
  const centers = Float32Array.from({ length: clusters * DIMENSION }, () => normal(next));
  const directions = Float32Array.from({ length: DIRECTIONS * DIMENSION }, () => normal(next) * 0.18);
  const vectors = new Float32Array(count * DIMENSION);
  const words = new Uint16Array(count * WORDS);
  const table = zipf();
  const along = new Float32Array(DIRECTIONS);
  for (let i = 0; i < count; i++) {
    const cluster = Math.floor(clusters * next() * next());
    for (let k = 0; k < DIRECTIONS; k++) along[k] = normal(next);
    const vector = vectors.subarray(i * DIMENSION, (i + 1) * DIMENSION);
    for (let j = 0; j < DIMENSION; j++) {
      let x = centers[cluster * DIMENSION + j] + (next() - 0.5) * 1.2;
      for (let k = 0; k < DIRECTIONS; k++) x += along[k] * directions[k * DIMENSION + j];
      vector[j] = x;
    }
    normalize(vector);
    for (let w = 0; w < WORDS; w++) words[i * WORDS + w] = table[Math.floor(next() * table.length)];
  }
  return new Documents(count, vectors, words, vocabulary());
}

function normalize(vector) {
  const length = Math.hypot(...vector);
  for (let j = 0; j < vector.length; j++) vector[j] = rounded(vector[j] / length);
}

class Documents {
  constructor(count, vectors, words, names) {
    Object.assign(this, { count, vectors, words, names });
  }

  kind = (i) => i % KINDS;
  batch = (i) => i % BATCHES;

  vector(i) {
    return this.vectors.subarray(i * DIMENSION, (i + 1) * DIMENSION);
  }

  wordsOf(i) {
    return this.words.subarray(i * WORDS, (i + 1) * WORDS);
  }

  /** A row of the index. */
  row(i) {
    return {
      id: i,
      text: Array.from(this.wordsOf(i), (word) => this.names[word]).join(' '),
      kind: `kind-${this.kind(i)}`,
      batch: this.batch(i),
      embedding: Array.from(this.vector(i), rounded),
    };
  }

  /** Queries for documents of this set. */
  queries(count, seed) {
    const next = random(seed);
    return Array.from({ length: count }, () => {
      const document = Math.floor(next() * this.count);
      const vector = this.vector(document).slice();
      for (let j = 0; j < DIMENSION; j++) vector[j] += normal(next) * 0.015;
      normalize(vector);
      const own = this.wordsOf(document);
      const words = [...new Set(Array.from({ length: QUERY_WORDS }, () => own[Math.floor(next() * WORDS)]))];
      return { vector: Array.from(vector, rounded), words, text: words.map((word) => this.names[word]).join(' ') };
    });
  }
}

/** The rows that pass a filter, nearest first by exact distance. */
export function exactNearest(documents, query, passes, count) {
  const nearest = new First(count);
  for (let i = 0; i < documents.count; i++) {
    if (!passes(i)) continue;
    let distance = 0;
    for (let j = 0, at = i * DIMENSION; j < DIMENSION; j++, at++) {
      const difference = documents.vectors[at] - query.vector[j];
      distance += difference * difference;
    }
    nearest.add(distance, i);
  }
  return nearest.items();
}

/** The rows that pass a filter and have one of the words, best first by BM25 over all rows. */
export function exactMatching(documents, query, passes, count) {
  const { words } = query;
  const counts = new Uint8Array(documents.count * words.length);
  const rows = words.map(() => 0);
  for (let i = 0, at = 0; i < documents.count; i++) {
    for (const end = at + WORDS; at < end; at++) {
      const word = words.indexOf(documents.words[at]);
      if (word !== -1 && counts[i * words.length + word]++ === 0) rows[word]++;
    }
  }
  // All texts are equally long, so that BM25's measure of length is 1.
  const weights = rows.map((n) => Math.log(1 + (documents.count - n + 0.5) / (n + 0.5)));
  const best = new First(count);
  for (let i = 0; i < documents.count; i++) {
    if (!passes(i)) continue;
    let score = 0;
    for (let word = 0; word < words.length; word++) {
      const n = counts[i * words.length + word];
      score += (weights[word] * n * 2.2) / (n + 1.2);
    }
    if (score > 0) best.add(-score, i);
  }
  return best.items();
}

/** Reciprocal rank fusion of two rankings. */
export function fuse(rankings, count) {
  const scores = new Map();
  for (const ranking of rankings) ranking.forEach((i, rank) => scores.set(i, (scores.get(i) ?? 0) + 1 / (61 + rank)));
  return [...scores].sort(([a, x], [b, y]) => y - x || a - b).slice(0, count).map(([i]) => i);
}

/** The few items with the lowest values; of equal ones, those that came first. */
class First {
  #count;
  #kept = [];
  #limit = Infinity;

  constructor(count) {
    this.#count = count;
  }

  add(value, item) {
    if (value >= this.#limit) return;
    this.#kept.push([value, item]);
    if (this.#kept.length >= 4 * this.#count) this.#cut();
  }

  #cut() {
    this.#kept = this.#kept.sort(([x, a], [y, b]) => x - y || a - b).slice(0, this.#count);
    if (this.#kept.length === this.#count) this.#limit = this.#kept.at(-1)[0];
  }

  items() {
    this.#cut();
    return this.#kept.map(([, item]) => item);
  }
}
