// One question and what became of it, and how events change it.
import type { Failure, Reader, RunEvent, Source, Span } from './protocol';

export interface Turn {
  id: string;
  question: string;
  reader: Reader;
  state: 'running' | 'answered' | 'not_found' | 'refused' | 'stopped' | 'failed';
  /** The answer as far as it may be seen. */
  answer: string;
  /** Why it was refused. */
  issues?: string;
  sources: Source[];
  spans: Span[];
  /** Steps that have begun and are not known to have ended. */
  running: Pick<Span, 'id' | 'name' | 'kind' | 'startMs'>[];
  failure?: Failure;
  /** When the question was asked, in milliseconds of the Unix epoch. */
  asked: number;
  took_ms?: number;
}

export function newTurn(question: string, reader: Reader): Turn {
  return { id: crypto.randomUUID(), question, reader, state: 'running', answer: '', sources: [], spans: [], running: [], asked: Date.now() };
}

/** The field of a step that becomes the answer; its text arrives as far as it is approved. */
const ANSWER = { step: 'compliance_formatter', field: 'formatted_answer' };

/** What a result means, by the guard that decided it. */
function outcome(stoppedBy: string | null): Turn['state'] {
  if (stoppedBy === null) return 'answered';
  return stoppedBy === 'answer_found' ? 'not_found' : 'refused';
}

/** The turn after one more event. */
export function advance(turn: Turn, event: RunEvent): Turn {
  switch (event.type) {
    case 'started':
      return { ...turn, running: [...turn.running, { id: event.id, name: event.step, kind: event.kind, startMs: event.atMs }] };
    case 'finished':
      return { ...turn, running: turn.running.filter(({ id }) => id !== event.span.id), spans: [...turn.spans, event.span] };
    case 'text':
      return event.step === ANSWER.step && event.field === ANSWER.field ? { ...turn, answer: turn.answer + event.text } : turn;
    case 'retracted':
      return event.step === ANSWER.step ? { ...turn, answer: '' } : turn;
    case 'stage':
    case 'warning':
    case 'status':
    case 'partial':
    case 'value':
      return turn;
    case 'result': {
      const { answer, security_issues: issues, sources } = event.fields;
      return { ...turn, state: outcome(event.stoppedBy), answer, issues, sources, spans: event.trace, running: [] };
    }
    case 'error':
      return { ...turn, state: 'failed', failure: event.error };
  }
}

/** The turn when its stream has ended, for whatever reason. */
export function settle(turn: Turn): Turn {
  const failure: Failure = { error_code: 'TRUNCATED', message: 'The answer broke off before it was complete.', hint: 'Ask again.' };
  const ended: Turn = turn.state === 'running' ? { ...turn, state: 'failed', failure } : turn;
  return { ...ended, took_ms: Date.now() - turn.asked };
}
