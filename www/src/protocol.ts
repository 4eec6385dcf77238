// What the gateway sends while a program runs: the events of the program, and what the assistant returns.
import { createParser } from 'eventsource-parser';
import type { ProgramEvent, Span } from 'lakelet';

export type { Span };

/** Who asks. In this demo the page says so itself; a real deployment takes it from the sign-in. */
export interface Reader {
  role: string;
  region: string;
  department: string;
}

/** A passage that the answer rests on. */
export interface Source {
  number: number;
  id: string;
  title?: string;
  document?: string;
  heading?: string;
  text: string;
  /** Where in `text` the sentence stands that says it. */
  start: number;
  end: number;
  /** The rules that have put a mark in the place of something. */
  flags?: string[];
}

/** What a run returns. */
export interface Result {
  answer: string;
  security_issues?: string;
  sources: Source[];
}

/** What went wrong, in words that a person can act on. */
export interface Failure {
  error_code: string;
  message: string;
  hint?: string;
  request_id?: string;
}

export type RunEvent =
  | Exclude<ProgramEvent, { type: 'result' }>
  | { type: 'result'; fields: Result; stoppedBy: string | null; trace: Span[] }
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
