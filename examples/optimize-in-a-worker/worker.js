// The search, off the page's thread. It is told `{ model, calls }` to begin and `stop` to end, and tells what it does.
import { predict, Workspace } from 'lakelet';
import { MIPROv2 } from 'lakelet/optimize';

import tickets from './tickets.jsonl?raw';

const rows = tickets.trim().split('\n').map((line) => JSON.parse(line));
const [trainset, valset] = [rows.slice(0, rows.length / 2), rows.slice(rows.length / 2)];
const teams = [...new Set(rows.map(({ team }) => `'${team}'`))];

const program = predict(`ticket -> team: Literal[${teams.join(', ')}]`);
const metric = (example, prediction) => example.team === prediction.team;
const optimizer = new MIPROv2({ metric, auto: null, numCandidates: 4, numTrials: 6, minibatch: false });

let stop;
addEventListener('message', ({ data }) => (data === 'stop' ? stop.abort() : optimize(data)));

async function optimize({ model, calls }) {
  stop = new AbortController();
  try {
    // What was answered is in the browser's own store: when the tab is closed, no more is lost than the calls that are under way.
    const store = await caches.open('optimize-in-a-worker');
    const { modelCalls } = await optimizer.estimate(program, { trainset, valset });
    const found = await optimizer.compile(program, {
      trainset,
      valset,
      lm: new Workspace({ baseUrl: location.origin }).lm(model),
      budget: { calls },
      signal: stop.signal,
      checkpoint: { store },
      cache: store,
      onProgress: ({ spent }) => postMessage({ type: 'progress', calls: spent.calls, most: Math.min(calls, modelCalls) }),
      observer: { tried: ({ evaluation, program }) => postMessage({ type: 'trial', ...learned(program, evaluation.score) }) },
    });
    postMessage({ type: 'done', ...learned(found.program, found.score), why: found.stoppedBy?.message.split('\n')[0] });
  } catch ({ code, message }) {
    postMessage({ type: code === 'cancelled' ? 'stopped' : 'failed', message });
  }
}

/** A program as the page shows it, and as DSPy loads it. */
function learned(program, score) {
  return { score, instructions: program.instructions, demos: program.demos, state: program.save() };
}
