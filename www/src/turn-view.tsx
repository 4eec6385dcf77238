import type { RefObject } from 'preact';
import { toSafeHtml } from './markdown';
import { Sources } from './sources';
import { Trace } from './trace';
import type { Turn } from './turn';

/** One question with its answer, sources and trace. */
export function TurnView({ turn, anchor }: { turn: Turn; anchor?: RefObject<HTMLElement | null> }) {
  const { role, region, department } = turn.reader;
  return (
    <article class="turn" data-state={turn.state} ref={anchor}>
      <h2>
        {turn.question}
        <small>
          asked as {role}, {region}, {department}
        </small>
      </h2>
      <Outcome turn={turn} />
      <Trace turn={turn} />
    </article>
  );
}

function Outcome({ turn }: { turn: Turn }) {
  switch (turn.state) {
    case 'failed':
      return (
        <section class="card failed" role="alert">
          <h3>No answer</h3>
          <p>{turn.failure?.message}</p>
          {turn.failure?.hint && <p class="hint">{turn.failure.hint}</p>}
          <p class="note">
            {turn.failure?.error_code}
            {turn.failure?.request_id && ` · request ${turn.failure.request_id}`}
          </p>
        </section>
      );
    case 'refused':
      return (
        <section class="card refused">
          <h3>Refused</h3>
          <p>{turn.answer}</p>
          {turn.issues && <p class="hint">{turn.issues}</p>}
        </section>
      );
    default:
      return (
        <section class="card">
          <h3>{turn.state === 'not_found' ? 'Not in the documents' : 'Answer'}</h3>
          {turn.answer ? <div class="answer" dangerouslySetInnerHTML={{ __html: toSafeHtml(turn.answer) }} /> : turn.state === 'running' && <p class="working">{doing(turn)}</p>}
          {turn.state === 'stopped' && <p class="note">You stopped this answer.</p>}
          {turn.sources.length > 0 && <Sources sources={turn.sources} />}
        </section>
      );
  }
}

const DOING: Record<string, string> = {
  complex_query: 'Planning the search',
  retrieve: 'Searching the documents',
  generate_answer: 'Reading the passages',
  security_checker: 'Checking the answer before you see it',
  compliance_formatter: 'Checking the answer before you see it',
};

function doing(turn: Turn): string {
  const step = turn.running.findLast(({ name }) => DOING[name]);
  return `${(step && DOING[step.name]) ?? 'Working'} …`;
}
