import { useRef, useState } from 'preact/hooks';

/** The question box. Enter asks, Shift+Enter breaks the line, Escape stops. */
export function AskBox(props: { running: boolean; onAsk: (question: string) => void; onStop: () => void }) {
  const [text, setText] = useState('');
  const box = useRef<HTMLTextAreaElement>(null);
  const question = text.trim();

  function submit(event: Event) {
    event.preventDefault();
    if (props.running || !question) return;
    setText('');
    props.onAsk(question);
    box.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
    if (event.key === 'Escape' && props.running) props.onStop();
  }

  return (
    <form class="ask" onSubmit={submit}>
      <label class="visually-hidden" for="question">
        Your question
      </label>
      <textarea
        id="question"
        ref={box}
        rows={1}
        maxLength={2000}
        placeholder="Ask a question …"
        value={text}
        autofocus
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {props.running ? (
        <button type="button" class="stop" onClick={props.onStop}>
          Stop
        </button>
      ) : (
        <button type="submit" disabled={!question}>
          Ask
        </button>
      )}
    </form>
  );
}
