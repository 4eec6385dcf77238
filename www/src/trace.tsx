import type { Span } from './protocol';
import type { Turn } from './turn';

/** The steps of a run on a common time axis; each opens and shows what was sent and what came back. */
export function Trace({ turn }: { turn: Turn }) {
  const now = turn.state === 'running' ? Date.now() - turn.asked : 0;
  const end = Math.max(1, now, ...turn.spans.map((span) => span.start_ms + span.duration_ms));
  const steps = [
    ...turn.spans.map((span) => ({ ...span, running: false })),
    ...turn.running.map((step) => ({ ...step, duration_ms: Math.max(0, now - step.start_ms), running: true })),
  ].sort((a, b) => a.start_ms - b.start_ms);
  if (steps.length === 0) return <div />;
  return (
    <section class="card trace" aria-label="Trace">
      <h3>Trace</h3>
      <ul class="steps">
        {steps.map((step) => (
          <li key={step.step}>
            <details class="step">
              <summary>
                <span class="name">{step.step}</span>
                <Lane start={step.start_ms / end} length={step.duration_ms / end} kind={[step.kind, step.running ? 'running' : '', 'error' in step && step.error ? 'failed' : ''].join(' ')} />
                <span class="took">{step.running ? '…' : milliseconds(step.duration_ms)}</span>
              </summary>
              {!step.running && <Detail span={step as Span} />}
            </details>
          </li>
        ))}
      </ul>
      {turn.took_ms !== undefined && <p class="total">{total(turn)}</p>}
    </section>
  );
}

// An SVG, because a strict Content-Security-Policy allows no style attributes.
function Lane(props: { start: number; length: number; kind: string }) {
  return (
    <span class="lane">
      <svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
        <rect class={`bar ${props.kind}`} x={props.start * 1000} width={Math.max(4, props.length * 1000)} height="12" rx="3" />
      </svg>
    </span>
  );
}

function Detail({ span }: { span: Span }) {
  return (
    <div class="detail">
      <dl>
        {span.model && <Row name="model" value={span.model} />}
        {span.usage && <Row name="tokens" value={tokens(span)} />}
        {Object.entries(span.outputs ?? {}).map(([name, value]) => (
          <Row key={name} name={name} value={typeof value === 'string' ? value : JSON.stringify(value, null, 1)} />
        ))}
        {span.error && <Row name="error" value={span.error} />}
      </dl>
      {span.messages && (
        <details class="messages">
          <summary>Messages sent ({span.messages.length})</summary>
          {span.messages.map((message, index) => (
            <div key={index}>
              <b>{message.role}</b>
              <pre>{typeof message.content === 'string' ? message.content : JSON.stringify(message.content, null, 1)}</pre>
            </div>
          ))}
        </details>
      )}
    </div>
  );
}

function Row({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function tokens({ usage }: Span): string {
  if (!usage) return '';
  const cached = usage.cached_tokens ? ` (${usage.cached_tokens} cached)` : '';
  return `${usage.prompt_tokens} in${cached}, ${usage.completion_tokens} out`;
}

function milliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function total(turn: Turn): string {
  const sum = (count: (usage: NonNullable<Span['usage']>) => number) => turn.spans.reduce((all, span) => all + (span.usage ? count(span.usage) : 0), 0);
  const calls = turn.spans.filter((span) => span.usage).length;
  return `${milliseconds(turn.took_ms ?? 0)} · ${calls} model calls · ${sum((u) => u.prompt_tokens)} tokens in, ${sum((u) => u.completion_tokens)} out`;
}
