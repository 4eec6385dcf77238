import type { Source } from './protocol';

/** The numbered passages that an answer rests on; each opens and shows the quote marked. */
export function Sources({ sources }: { sources: Source[] }) {
  return (
    <ol class="sources" aria-label="Sources">
      {sources.map((source) => (
        <li key={source.number}>
          <details>
            <summary>
              <span class="number">{source.number}</span>
              <span>
                {source.title ?? source.document ?? source.id} <span class="where">{source.heading}</span>
              </span>
            </summary>
            <blockquote class="passage">
              <Marked source={source} />
            </blockquote>
            <span class="where">{source.document}</span>
            {source.flags && source.flags.length > 0 && <p class="flag">Parts of this passage are left out by rule: {source.flags.join(', ')}.</p>}
          </details>
        </li>
      ))}
    </ol>
  );
}

function Marked({ source: { text, start, end } }: { source: Source }) {
  return (
    <>
      {text.slice(0, start)}
      <mark>{text.slice(start, end)}</mark>
      {text.slice(end)}
    </>
  );
}
