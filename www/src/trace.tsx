import { useEffect, useState } from 'preact/hooks';
import type { Span } from './protocol';
import type { Turn } from './turn';

type Call = Span['calls'][number];

/** The steps of a run on a common time axis; each opens and shows what was sent and what came back. */
export function Trace({ turn }: { turn: Turn }) {
  const now = useElapsed(turn);
  const end = Math.max(1, now, ...turn.spans.map((span) => span.startMs + span.durationMs));
  const status = turn.state === 'running' ? ('running' as const) : ('cancelled' as const);
  const unfinished = turn.running.map((step) => ({ ...step, durationMs: Math.max(0, now - step.startMs), status }));
  const steps = [...turn.spans, ...unfinished].sort((a, b) => a.startMs - b.startMs || a.id - b.id);
  if (steps.length === 0) return <div />;
  return (
    <section class="card trace" aria-label="Trace">
      <h3>Trace</h3>
      <ul class="steps">
        {steps.map((step) => (
          <li key={step.id}>
            <details class="step">
              <summary>
                <span class="name">{step.name}</span>
                <Lane start={step.startMs / end} length={step.durationMs / end} kind={`${step.kind} ${step.status}`} />
                <span class="took">{took(step)}</span>
              </summary>
              {'calls' in step && <Detail span={step} />}
            </details>
          </li>
        ))}
      </ul>
      {turn.took_ms !== undefined && <p class="total">{total(turn)}</p>}
    </section>
  );
}

/** Milliseconds since the question was asked, growing while it is answered. */
function useElapsed({ state, asked, took_ms }: Turn): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (state !== 'running') return;
    const clock = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(clock);
  }, [state]);
  return took_ms ?? (state === 'running' ? Math.max(0, now - asked) : 0);
}

function took({ status, durationMs }: Pick<Span, 'status' | 'durationMs'>): string {
  if (status === 'running') return `${(durationMs / 1000).toFixed(0)} s …`;
  return status === 'cancelled' ? '–' : milliseconds(durationMs);
}

// An SVG, because a strict Content-Security-Policy allows no style attributes.
function Lane(props: { start: number; length: number; kind: string }) {
  return (
    <span class="lane">
      <svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
        <rect class={`bar ${props.kind}`} x={Math.min(994, props.start * 1000)} width={Math.max(6, props.length * 1000)} height="12" rx="3" />
      </svg>
    </span>
  );
}

function Detail({ span }: { span: Span }) {
  if (span.withheld) return <p class="detail">What this step was given and gave is kept back, because its answer was not approved.</p>;
  return (
    <div class="detail">
      <dl>
        {Object.entries(span.outputs).map(([name, value]) => (
          <Row key={name} name={name} value={value} />
        ))}
        {span.error && <Row name="error" value={span.error.message} />}
        {span.status === 'cancelled' && <Row name="status" value="stopped before its end" />}
      </dl>
      {span.calls.map((call, index) => (
        <Messages key={index} call={call} />
      ))}
    </div>
  );
}

function Messages({ call }: { call: Call }) {
  return (
    <details class="messages">
      <summary>
        {call.messages.length} messages to {call.model}: {tokens(call)}
      </summary>
      {[...call.messages, ...call.replies.map((content) => ({ role: 'reply', content }))].map(({ role, content }, index) => (
        <div key={index}>
          <b>{role}</b>
          <pre>{asText(content)}</pre>
        </div>
      ))}
    </details>
  );
}

function Row({ name, value }: { name: string; value: unknown }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{asText(value)}</dd>
    </>
  );
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}

function tokens({ usage, durationMs }: Call): string {
  const cached = usage.cachedTokens > 0 ? ` (${usage.cachedTokens} cached)` : '';
  return `${usage.promptTokens} tokens in${cached}, ${usage.completionTokens} out, ${milliseconds(durationMs)}`;
}

function milliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function total({ state, spans, took_ms = 0 }: Turn): string {
  if (state === 'stopped') return `Stopped after ${milliseconds(took_ms)}`;
  const calls = spans.flatMap((span) => span.calls);
  const sum = (name: 'promptTokens' | 'completionTokens') => spans.reduce((all, span) => all + span.usage[name], 0);
  return `${milliseconds(took_ms)} · ${calls.length} model ${calls.length === 1 ? 'call' : 'calls'} · ${sum('promptTokens')} tokens in, ${sum('completionTokens')} out`;
}
