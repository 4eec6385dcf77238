import { stemmer } from "stemmer";

/** Longer words are cut: they are hashes and the like. */
const MAX_LENGTH = 64;
/** Words remembered with their stems. */
const CACHE_SIZE = 200_000;

const stems = new Map<string, string>();

/** The words of a text as they are looked up: lower case, without accents, English ones as their stems (Porter). */
export function readWords(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return words.map(stem);
}

function stem(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const plain = word.normalize("NFD").replace(/\p{M}/gu, "").slice(0, MAX_LENGTH);
  // A copy of its own, so that the long text that the word was cut from can be freed.
  const result = Buffer.from(/^[a-z]+$/.test(plain) ? stemmer(plain) : plain).toString();
  if (stems.size >= CACHE_SIZE) stems.clear();
  stems.set(Buffer.from(word).toString(), result);
  return result;
}
