// What the gateway sends while a program runs. The shapes are those of `lakelet/gateway`.
import { createParser } from 'eventsource-parser';

/** Who asks. In this demo the page says so itself; a real deployment takes it from the sign-in. */
export interface Reader {
  role: string;
  region: string;
  department: string;
}

/** A passage that the answer rests on; `quote` marks the part of `text` that says it. */
export interface Source {
  number: number;
  id: string;
  title: string;
  document: string;
  heading?: string;
  text: string;
  quote?: { start: number; end: number };
  flags?: string[];
}

/** One step of a run. Times are milliseconds since the run began. */
export interface Span {
  step: string;
  kind: string;
  start_ms: number;
  duration_ms: number;
  model?: string;
  usage?: { prompt_tokens: number; completion_tokens: number; cached_tokens?: number };
  messages?: { role: string; content: unknown }[];
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  error?: string;
}

/** What a run returns. */
export interface Result {
  answer: string;
  security_issues?: string[] | string;
  sources?: Source[];
}

/** What went wrong, in words that a person can act on. */
export interface Failure {
  error_code: string;
  message: string;
  hint?: string;
  request_id?: string;
}

export type RunEvent =
  | { type: 'step_started'; step: string; kind: string; at_ms: number }
  | { type: 'step_finished'; span: Span }
  | { type: 'field'; step: string; field: string; text: string }
  | { type: 'result'; prediction: Result; refused: boolean }
  | { type: 'error'; error: Failure };

/** Runs the assistant at the gateway and yields its events as they arrive. */
export async function* ask(question: string, reader: Reader, signal: AbortSignal): AsyncGenerator<RunEvent> {
  const response = await fetch('/api/programs/enterprise_assistant', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ inputs: { question }, user: reader }),
    signal,
  });
  if (!response.ok || !response.body) {
    yield { type: 'error', error: await failure(response) };
    return;
  }
  const arrived: RunEvent[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => arrived.push({ type: event, ...JSON.parse(data) }) });
  const decoder = new TextDecoder();
  const body = response.body.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) break;
    parser.feed(decoder.decode(value, { stream: true }));
    yield* arrived.splice(0);
  }
}

async function failure(response: Response): Promise<Failure> {
  const fallback: Failure = { error_code: `HTTP_${response.status}`, message: `The gateway answered ${response.status} ${response.statusText}.` };
  try {
    return { ...fallback, ...(await response.json()) };
  } catch {
    return fallback;
  }
}
