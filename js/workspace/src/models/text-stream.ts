import type { LlamaModel, Token } from "node-llama-cpp";

/** Turns tokens into text as they come: holds back half characters, and what may be the beginning of a stop string. */
export class TextStream {
  readonly #model: LlamaModel;
  readonly #stops: string[];
  readonly #before: Token[];
  #tokens: Token[] = [];
  #held = "";
  /** The stop string that the text ended before. */
  stop: string | undefined;

  /** `before` are the last tokens of the prompt, which decide about a leading space. */
  constructor(model: LlamaModel, stops: string[], before: Token[]) {
    this.#model = model;
    this.#stops = stops;
    this.#before = before;
  }

  /** The text that is certain after this token; "" if none is. */
  push(token: Token): string {
    this.#tokens.push(token);
    const text = this.#model.detokenize(this.#tokens, false, this.#before);
    if (text.endsWith("\uFFFD") && this.#tokens.length < 4) return "";
    this.#before.push(...this.#tokens);
    this.#before.splice(0, this.#before.length - 8);
    this.#tokens = [];
    return this.#release(this.#held + text);
  }

  /** What was held back, when no more tokens come. */
  end(): string {
    if (this.stop !== undefined) return "";
    const rest = this.#tokens.length > 0 ? this.#model.detokenize(this.#tokens, false, this.#before) : "";
    return this.#held + rest;
  }

  #release(text: string): string {
    const found = this.#stops.map((stop) => ({ stop, at: text.indexOf(stop) })).filter(({ at }) => at >= 0);
    if (found.length > 0) {
      const first = found.reduce((first, other) => (other.at < first.at ? other : first));
      this.stop = first.stop;
      return text.slice(0, first.at);
    }
    const keep = Math.max(0, ...this.#stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(text.length - keep);
    return text.slice(0, text.length - keep);
  }
}

/** The length of the longest end of `text` that `stop` begins with. */
function overlap(text: string, stop: string): number {
  for (let n = Math.min(stop.length - 1, text.length); n > 0; n--) {
    if (text.endsWith(stop.slice(0, n))) return n;
  }
  return 0;
}
