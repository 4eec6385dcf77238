import type { Source } from './protocol';

/** The numbered passages that an answer rests on; each opens and shows the quote marked. */
export function Sources({ sources }: { sources: Source[] }) {
  return (
    <ol class="sources" aria-label="Sources">
      {sources.map((source) => (
        <li key={source.id}>
          <details>
            <summary>
              <span class="number">{source.number}</span>
              <span>
                {source.title} <span class="where">{source.heading}</span>
              </span>
            </summary>
            <blockquote class="passage">
              <Marked source={source} />
            </blockquote>
            <span class="where">{source.document}</span>
            {source.flags?.map((flag) => (
              <p class="flag" key={flag}>
                {flag}
              </p>
            ))}
          </details>
        </li>
      ))}
    </ol>
  );
}

function Marked({ source: { text, quote } }: { source: Source }) {
  if (!quote) return <>{text}</>;
  return (
    <>
      {text.slice(0, quote.start)}
      <mark>{text.slice(quote.start, quote.end)}</mark>
      {text.slice(quote.end)}
    </>
  );
}
