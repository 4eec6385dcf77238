import type { Reply } from "../http/router.js";

/** What a served entity can be asked. */
export type Kind = "chat" | "completions" | "embeddings" | "predict";

/** What an endpoint is for. Models of one's own have none. */
export type Task = "llm/v1/chat" | "llm/v1/completions" | "llm/v1/embeddings";
export const TASKS: readonly Task[] = ["llm/v1/chat", "llm/v1/completions", "llm/v1/embeddings"];

/** A request, as far as a model sees it. */
export interface Question {
  kind: Kind;
  body: Record<string, unknown>;
  signal: AbortSignal;
}

/** What answers behind an endpoint. */
export interface ServedModel {
  readonly task: Task | undefined;
  /** Answers, or throws the error that the client is told. */
  ask(question: Question): Promise<Reply>;
  /** Ends what it holds, a process for instance. */
  close?(): void | Promise<void>;
}
