// One question and what became of it, and how events change it.
import type { Failure, Reader, RunEvent, Source, Span } from './protocol';

export interface Turn {
  id: string;
  question: string;
  reader: Reader;
  state: 'running' | 'answered' | 'refused' | 'stopped' | 'failed';
  /** The answer as far as it may be seen. */
  answer: string;
  issues: string[];
  sources: Source[];
  spans: Span[];
  /** Steps that have begun and not ended, with the millisecond of the run at which they began. */
  running: { step: string; kind: string; start_ms: number }[];
  failure?: Failure;
  /** When the question was asked, in milliseconds of the Unix epoch. */
  asked: number;
  took_ms?: number;
}

export function newTurn(question: string, reader: Reader): Turn {
  return { id: crypto.randomUUID(), question, reader, state: 'running', answer: '', issues: [], sources: [], spans: [], running: [], asked: Date.now() };
}

/** The turn after one more event. */
export function advance(turn: Turn, event: RunEvent): Turn {
  switch (event.type) {
    case 'step_started':
      return { ...turn, running: [...turn.running, { step: event.step, kind: event.kind, start_ms: event.at_ms }] };
    case 'step_finished':
      return { ...turn, running: turn.running.filter((step) => step.step !== event.span.step), spans: [...turn.spans, event.span] };
    case 'field':
      return { ...turn, answer: turn.answer + event.text };
    case 'result': {
      const { answer, security_issues = [], sources = [] } = event.prediction;
      const issues = (Array.isArray(security_issues) ? security_issues : [security_issues]).filter(Boolean);
      return { ...turn, state: event.refused ? 'refused' : 'answered', answer, issues, sources };
    }
    case 'error':
      return { ...turn, state: 'failed', failure: event.error };
  }
}

/** The turn when its stream has ended, for whatever reason. */
export function settle(turn: Turn): Turn {
  const failure: Failure = { error_code: 'TRUNCATED', message: 'The answer broke off before it was complete.', hint: 'Ask again.' };
  const ended: Turn = turn.state === 'running' ? { ...turn, state: 'failed', failure } : turn;
  return { ...ended, running: [], took_ms: Date.now() - turn.asked };
}
