// The conversation, kept in this browser so that a reload does not lose it.
import type { Turn } from './turn';

const KEY = 'lakelet.conversation';
const KEPT = 50;

/** The turns of the last visit; none when there are none or they cannot be read. */
export function loadTurns(): Turn[] {
  try {
    const turns = JSON.parse(localStorage.getItem(KEY) ?? '[]') as Turn[];
    return turns.map((turn) => (turn.state === 'running' ? { ...turn, state: 'stopped', running: [] } : turn));
  } catch {
    return [];
  }
}

/** Keeps the newest turns. A browser that refuses to store them loses only the history. */
export function saveTurns(turns: Turn[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(turns.slice(-KEPT)));
  } catch {
    localStorage.removeItem(KEY);
  }
}
