const SUGGESTIONS = [
  'How many days of parental leave do I get?',
  'What is the daily meal allowance when I travel?',
  'Who do I tell when I lose my laptop?',
  'How soon must a severity 1 incident be acknowledged?',
];

/** What an empty conversation shows. */
export function Welcome(props: { onAsk: (question: string) => void }) {
  return (
    <section class="welcome">
      <h1>Ask the company’s documents.</h1>
      <p>
        Each answer is drawn from passages that you may see, checked before a word of it is shown, and comes with its sources. Choose who
        asks at the top: the role decides which documents are searched, the region and department which rules apply.
      </p>
      <ul class="suggestions">
        {SUGGESTIONS.map((question) => (
          <li key={question}>
            <button type="button" onClick={() => props.onAsk(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
