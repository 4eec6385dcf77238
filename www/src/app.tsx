import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { AskBox } from './ask';
import { loadTurns, saveTurns } from './history';
import { ask, type Reader, type RunEvent } from './protocol';
import { ReaderPicker } from './reader';
import { ThemeButton } from './theme';
import { advance, newTurn, settle, type Turn } from './turn';
import { TurnView } from './turn-view';
import { Welcome } from './welcome';

type Change = { add: Turn } | { id: string; event: RunEvent } | { id: string; stop: true } | { id: string; settle: true } | { clear: true };

function reduce(turns: Turn[], change: Change): Turn[] {
  if ('clear' in change) return [];
  if ('add' in change) return [...turns, change.add];
  return turns.map((turn) => {
    if (turn.id !== change.id) return turn;
    if ('event' in change) return advance(turn, change.event);
    if ('stop' in change) return { ...turn, state: 'stopped' };
    return settle(turn);
  });
}

export function App() {
  const [turns, change] = useReducer(reduce, undefined, loadTurns);
  const [reader, setReader] = useState<Reader>({ role: 'employee', region: 'EU', department: 'engineering' });
  const stop = useRef<AbortController | null>(null);
  const last = useRef<HTMLElement>(null);
  const running = turns.some((turn) => turn.state === 'running');

  useEffect(() => {
    if (!running) saveTurns(turns);
  }, [turns, running]);
  useEffect(() => last.current?.scrollIntoView({ block: 'start', behavior: 'smooth' }), [turns.length]);

  async function submit(question: string) {
    const turn = newTurn(question, reader);
    const { id } = turn;
    const controller = new AbortController();
    stop.current = controller;
    change({ add: turn });
    try {
      for await (const event of ask(question, reader, controller.signal)) change({ id, event });
    } catch (error) {
      if (controller.signal.aborted) change({ id, stop: true });
      else change({ id, event: { type: 'error', error: { error_code: 'NETWORK', message: 'The gateway cannot be reached.', hint: `Check that it still runs, then ask again. (${String(error)})` } } });
    } finally {
      change({ id, settle: true });
    }
  }

  return (
    <div class="frame">
      <header>
        <div class="brand">
          <img src="/icon.svg" alt="" />
          <span>
            Lakelet <small>knowledge assistant</small>
          </span>
        </div>
        <ReaderPicker reader={reader} onChange={setReader} />
        <ThemeButton />
        <button class="quiet" type="button" disabled={running || turns.length === 0} onClick={() => change({ clear: true })}>
          Clear history
        </button>
      </header>
      <main aria-live="polite" aria-busy={running}>
        {turns.length === 0 && <Welcome onAsk={submit} />}
        {turns.map((turn, index) => (
          <TurnView key={turn.id} turn={turn} anchor={index === turns.length - 1 ? last : undefined} />
        ))}
      </main>
      <footer>
        <AskBox running={running} onAsk={submit} onStop={() => stop.current?.abort()} />
        <p class="fine">Answers are checked before they are shown, and rest on the passages below them. Read those before you rely on one.</p>
      </footer>
    </div>
  );
}
