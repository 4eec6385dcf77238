/** What a program tells while it runs, and the record that it leaves. */
import type { ErrorDetails } from './errors.js';

/** Tokens used. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** Prompt tokens that the server had cached. */
  readonly cachedTokens: number;
  /** Completion tokens spent on reasoning. */
  readonly reasoningTokens: number;
}

/** A message as it was sent. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string | readonly unknown[] | null;
}

/** One request to a model, and what came back. */
export interface ModelCall {
  /** The model that was asked, or the version that answered. */
  readonly model: string;
  /** The name that the model was asked by: an endpoint's, of several that of the one that answered. */
  readonly endpoint: string;
  /** DSPy's name of the adapter. */
  readonly adapter: string;
  /** The messages exactly as sent. */
  readonly messages: readonly Message[];
  readonly responseFormat?: unknown;
  /** The other parameters of the request. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly replies: readonly string[];
  readonly usage: Usage;
  /** Milliseconds after the run began. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Why the call, or reading its reply, failed. */
  readonly error?: DescribedError;
}

/** An error as data. */
export interface DescribedError extends ErrorDetails {
  message: string;
}

/** What one step was given, did and gave back. */
export interface Span {
  readonly id: number;
  /** The id of the span that it is a part of. */
  readonly parent: number | null;
  /** The step's name in its program. */
  readonly name: string;
  /** `predict`, `chain_of_thought`, `react`, `retrieve`, `guard` ... */
  readonly kind: string;
  /** Milliseconds after the run began. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly status: 'running' | 'done' | 'failed' | 'cancelled';
  readonly error?: DescribedError;
  /** Contents are left out, because a check has not approved them. */
  readonly withheld: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly calls: readonly ModelCall[];
  readonly usage: Usage;
}

/** A call of a program that has ended. */
export interface EndedCall {
  /** The program's name: that of its document, or of its class. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly beganMs: number;
  readonly durationMs: number;
  readonly inputs: object;
  /** `null` when the call failed. */
  readonly outputs: object | null;
  readonly error?: DescribedError;
  /** What each step was given, did and gave: all of it, also what a check has not approved. */
  readonly spans: readonly Span[];
}

/** News of a run, in the order in which the caller may know it. */
export type ProgramEvent<O = Record<string, unknown>> =
  /** A step has started; `id` is the one of its span, `parent` the one of the step that it is a part of. */
  | { readonly type: 'started'; readonly id: number; readonly parent: number | null; readonly step: string; readonly kind: string; readonly atMs: number }
  /** A part of a step's model call: the adapter makes messages, the model answers, the adapter reads the answer. `call` is the
   * position of the call in `calls` of the step's span, `name` the model's or the adapter's. */
  | { readonly type: 'stage'; readonly id: number; readonly step: string; readonly call: number; readonly stage: 'adapter_format' | 'lm' | 'adapter_parse';
      readonly progress: 'started' | 'done' | 'failed'; readonly name: string; readonly atMs: number }
  /** A text field of a model's reply has grown by `text`. */
  | { readonly type: 'text'; readonly id: number; readonly step: string; readonly field: string; readonly text: string }
  /** A list, an object or the like in a model's reply has grown to `value`: its complete parts, and the text that is being
   * written in it. It never goes back; numbers and the like show once they are complete. */
  | { readonly type: 'partial'; readonly id: number; readonly step: string; readonly field: string; readonly value: unknown }
  /** A field of a model's reply is complete. */
  | { readonly type: 'value'; readonly id: number; readonly step: string; readonly field: string; readonly value: unknown }
  /** What was told of the fields of a step's reply does not count: the reply was cut, and begins again. */
  | { readonly type: 'retracted'; readonly id: number; readonly step: string }
  /** Something seems wrong with what a step was given: an input is unknown, missing or of another type. It goes on. */
  | { readonly type: 'warning'; readonly id: number; readonly step: string; readonly message: string }
  /** A step has ended, well or not. */
  | { readonly type: 'finished'; readonly span: Span }
  /** The program's result; `stoppedBy` names the guard that decided it, when one did. Always the last event. */
  | { readonly type: 'result'; readonly fields: O; readonly stoppedBy: string | null }
  /** What the program is doing, in words for its user: see {@link withStatus}. */
  | { readonly type: 'status'; readonly message: string };
