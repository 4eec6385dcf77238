import { availableParallelism } from "node:os";
import { basename } from "node:path";
import {
  getLlama,
  InputLookupTokenPredictor,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type Llama,
  type LlamaContext,
  type LlamaGrammar,
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
} from "node-llama-cpp";
import { invalid } from "../http/errors.js";
import { ChatTemplate, type Message } from "./chat-template.js";
import { logprob, type TokenLogprob } from "./logprobs.js";
import { SequencePool, type Lease } from "./sequence-pool.js";
import { TextStream } from "./text-stream.js";
import { ThreadGovernor } from "./thread-governor.js";

/** Prompt tokens that are evaluated between two looks at whether the client is still there. */
const PROMPT_CHUNK = 128;

/**
 * How many tokens are guessed at a time when a reply begins to repeat the prompt. Guesses are evaluated together, which
 * takes less time than one after the other, and only right ones are kept: quotes come faster, and no reply changes.
 */
const GUESSED = { min: 2, max: 8 };

/**
 * How many tokens are to be the same before it counts as repeating. Wrong guesses are dear: with one token a quote of the handbook takes twice
 * the processor time of six, and a reply of a dozen tokens three times.
 */
const REPEATED = { min: 6 };

export interface ChatModelOptions {
  /** A GGUF file. */
  path: string;
  /** Threads to use; undefined for as many as other programs leave cores free. */
  threads: number | undefined;
  /** How many requests are worked on at a time; more wait. */
  sequences: number;
  /** Tokens of prompt and reply together. */
  contextSize: number;
}

export interface Sampling {
  /** Ends the reply at this many tokens. */
  maxTokens: number | undefined;
  /** 0 takes the likeliest token always. */
  temperature: number;
  topP: number;
  topK: number;
  seed: number | undefined;
  stop: string[];
  /** GBNF that the reply must match. */
  grammar: string | undefined;
  /** How many of the likeliest tokens to tell the probabilities of, beside the one that was taken; undefined tells none. */
  topLogprobs: number | undefined;
}

export type FinishReason = "stop" | "length";

export interface Usage {
  promptTokens: number;
  /** Prompt tokens that were still in memory from an earlier request. */
  cachedTokens: number;
  completionTokens: number;
}

/** What a generation yields: text as it comes, with the tokens it is of when asked for, then once how it ended. */
export type Generated =
  | { text: string; logprobs?: TokenLogprob[] }
  | { finish: FinishReason; usage: Usage; stop: string | undefined };

/** A token, and how likely each token of the vocabulary was in its place. */
interface Evaluated {
  token: Token;
  probabilities?: Map<Token, number>;
}

/** A language model run by llama.cpp on the CPU. */
export class ChatModel {
  /** The file's name without its ending: which model in which quantization. */
  readonly name: string;
  readonly contextSize: number;
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #governor: ThreadGovernor | undefined;
  readonly #pool: SequencePool;
  readonly #template: ChatTemplate | undefined;

  private constructor(path: string, llama: Llama, model: LlamaModel, context: LlamaContext, governor: ThreadGovernor | undefined) {
    this.name = basename(path).replace(/\.gguf$/i, "");
    this.contextSize = context.contextSize;
    this.#llama = llama;
    this.#model = model;
    this.#governor = governor;
    const sequence = () => context.getSequence({ tokenPredictor: new InputLookupTokenPredictor({ patternLength: REPEATED, predictionLength: GUESSED }) });
    this.#pool = new SequencePool(Array.from({ length: context.totalSequences }, sequence));
    const source = model.fileInfo.metadata.tokenizer?.chat_template;
    this.#template = source ? new ChatTemplate(source, model.tokens.bosString ?? "", model.tokens.eosString ?? "") : undefined;
  }

  static async load(options: ChatModelOptions): Promise<ChatModel> {
    const threads = options.threads ?? availableParallelism();
    const llama = await getLlama({
      gpu: false,
      build: "never",
      skipDownload: true,
      maxThreads: threads,
      logLevel: LlamaLogLevel.error,
    });
    const model = await llama.loadModel({ modelPath: options.path });
    const context = await model.createContext({ threads, sequences: options.sequences, contextSize: options.contextSize });
    const governor = options.threads === undefined ? new ThreadGovernor(llama) : undefined;
    return new ChatModel(options.path, llama, model, context, governor);
  }

  /** Frees the model, once what it works on has ended. */
  async close(): Promise<void> {
    await this.#pool.idle();
    await this.#llama.dispose();
  }

  /** The tokens of a conversation by the model's own template. Only the template can make special tokens. */
  chatPrompt(messages: Message[]): Token[] {
    if (!this.#template) throw invalid(`The model ${this.name} has no chat template; use completions.`);
    return this.#template
      .render(messages)
      .flatMap((piece) =>
        "template" in piece ? this.#model.tokenize(piece.template, true) : this.#model.tokenize(piece.message, false),
      );
  }

  /** The tokens of text within a prompt; markers of the template in it are letters. */
  tokens(text: string): Token[] {
    return this.#model.tokenize(text, false);
  }

  /** The tokens of a plain text that the model is to go on with. */
  textPrompt(text: string): Token[] {
    const tokens = this.tokens(text);
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    return bos !== null && (shouldPrependBosToken || tokens.length === 0) ? [bos, ...tokens] : tokens;
  }

  /** Generates one reply. Waits for a free sequence first; ends with the signal's reason as soon as it aborts. */
  async *generate(prompt: Token[], sampling: Sampling, signal: AbortSignal): AsyncGenerator<Generated, void> {
    const room = this.contextSize - prompt.length - 1;
    if (room < 1) {
      throw invalid(`The prompt has ${prompt.length} tokens; the model takes ${this.contextSize}, reply included.`);
    }
    const options = await this.#sampler(sampling);
    const lease = await this.#pool.acquire(prompt, signal);
    try {
      // The last token is evaluated anew even when it is remembered, for what follows it.
      const cachedTokens = Math.min(lease.shared, prompt.length - 1);
      await this.#readPrompt(lease, prompt, cachedTokens, signal);
      (lease.sequence.tokenPredictor as InputLookupTokenPredictor).updateInputTokens(prompt);
      const text = new TextStream(this.#model, sampling.stop, prompt.slice(-8));
      const limit = Math.min(sampling.maxTokens ?? room, room);
      let completionTokens = 0;
      let logprobs: TokenLogprob[] = [];
      const certain = (piece: string): Generated => {
        const told = logprobs;
        logprobs = [];
        return told.length > 0 ? { text: piece, logprobs: told } : { text: piece };
      };
      for await (const { token, probabilities } of this.#evaluate(lease, prompt, sampling, options)) {
        signal.throwIfAborted();
        this.#governor?.adjust();
        completionTokens++;
        if (probabilities) logprobs.push(logprob(this.#model, token, probabilities, sampling.topLogprobs ?? 0));
        const piece = text.push(token);
        if (piece !== "") yield certain(piece);
        if (text.stop !== undefined || completionTokens >= limit) break;
      }
      const rest = text.end();
      if (rest !== "" || logprobs.length > 0) yield certain(rest);
      const finish = text.stop === undefined && completionTokens >= limit ? "length" : "stop";
      yield { finish, usage: { promptTokens: prompt.length, cachedTokens, completionTokens }, stop: text.stop };
    } finally {
      lease.release();
    }
  }

  /** The tokens that follow the prompt. What they are likely with costs a list of the whole vocabulary each. */
  async *#evaluate({ sequence }: Lease, prompt: Token[], { topLogprobs }: Sampling, options: SequenceEvaluateOptions): AsyncGenerator<Evaluated, void> {
    const last = prompt.slice(-1);
    if (topLogprobs !== undefined) return yield* sequence.evaluateWithMetadata(last, { probabilities: true }, options);
    for await (const token of sequence.evaluate(last, options)) yield { token };
  }

  async #readPrompt({ sequence }: Lease, prompt: Token[], from: number, signal: AbortSignal): Promise<void> {
    await sequence.adaptStateToTokens(prompt.slice(0, from), false);
    const unread = prompt.slice(sequence.nextTokenIndex, -1);
    for (let i = 0; i < unread.length; i += PROMPT_CHUNK) {
      signal.throwIfAborted();
      this.#governor?.adjust();
      await sequence.evaluateWithoutGeneratingNewTokens(unread.slice(i, i + PROMPT_CHUNK));
    }
  }

  async #sampler(sampling: Sampling): Promise<SequenceEvaluateOptions> {
    const { temperature, topP, topK, seed, grammar } = sampling;
    const options: SequenceEvaluateOptions = { temperature, topP, topK };
    if (seed !== undefined) options.seed = seed;
    if (grammar !== undefined) {
      const compiled = await this.#compile(grammar);
      options.grammarEvaluationState = new LlamaGrammarEvaluationState({ model: this.#model, grammar: compiled });
    }
    return options;
  }

  /** llama.cpp refuses a grammar that could go on without end before its first letter. */
  async #compile(grammar: string): Promise<LlamaGrammar> {
    try {
      return await this.#llama.createGrammar({ grammar });
    } catch {
      throw invalid("response_format, tools: a schema refers to itself in a way that no text can satisfy, or is too large.");
    }
  }
}
