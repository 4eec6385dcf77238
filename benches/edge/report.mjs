// The tables of docs/edge-benchmarks.md.
import { cpus } from 'node:os';
import { createRequire } from 'node:module';

import { STUDY } from './study.mjs';

const { version: workerd } = createRequire(import.meta.url)('workerd/package.json');

const whole = (number) => Math.round(number).toLocaleString('en-US');
const percent = (number) => `${number.toFixed(1)} %`;
const table = (head, rows) => [head, head.map(() => '---:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** @returns {string} Markdown */
export function report({ idealMs, modelMs, searchMs, plain, mixed, kinds, floor, component, starts }) {
  const processors = cpus();
  const seconds = (ms) => `${ms / 1000} s`;
  return `# The assistant at the edge under load

Written by \`node benches/edge.mjs\` (\`make bench-edge\`), on ${processors.length} processors (${processors[0].model}) that serve the readers, the
workspace and the edge at once; Node ${process.versions.node}, workerd ${workerd}. Absolute numbers are this machine's; what is compared stands
in one table because it was measured in one run. On a machine that does other work too, run it with \`chrt --rr 1\`, as was done here:
without it, 500 at once took 2.8 times the ideal beside compilers that used both processors.

![How latency grows with the load, and how many questions are answered](edge-load.svg)

## Load

Readers ask \`enterprise_assistant\` one question after the other, each question once, and read its events from the Worker of
\`examples/worker\` in workerd. The workspace is a process that speaks Databricks' protocol: its model answers after ${seconds(modelMs)}, in 6 pieces
spread over that time, and its index after ${seconds(searchMs)}. A question needs five calls. The longest chain of them is three answers of the model
and a search, because the check and the formatting run side by side: **${seconds(idealMs)} is the ideal**, with no work of ours at all. Readers begin spread
over that time. The same tries, waits and limits are at work as in a deployment; no answer comes from a cache.

${loadTable(plain)}

**One call in ten fails**, of each kind the same share: HTTP 429 with and without \`retry-after: 1\`, HTTP 503, a connection that drops before the answer, and
one that drops in the middle of it. A wait that the workspace asks for is waited.

${loadTable(mixed)}

By kind, 100 at once, one call in ten:

${table(['fault', 'injected', 'answered', 'mean ms', 'calls a question'], kinds.map((row) => [row.fault, row.faults, percent(row.answered), whole(row.meanMs), row.callsEach.toFixed(2)]))}

The case study's columns are what it published for its assistant on Databricks, whose model and machines are not known: they compare in how they grow,
not in milliseconds.

The same five calls written by hand, without screening, prompts, checks or traces, cost workerd ${floor.cpuEachMs.toFixed(1)} ms of processor time a question at 100 at once
(${floor.ofIdeal.toFixed(2)} of the ideal); the Worker ${plain.find(({ readers }) => readers === 100).cpuEachMs.toFixed(1)} ms.

## The component

The same load on the component of the world \`server\` under \`wasmtime serve\`, where each question has an instance of its own:

${loadTable(component.plain)}

One call in ten fails:

${loadTable(component.mixed)}

## Cold start, payload, memory

From the start of a process to its first answered question, of a workspace that answers at once; the median of seven. "Nothing" is the same runtime with a
program that does nothing.

${table(
    ['', 'first answer', 'nothing', 'our share', 'payload', 'gzip', 'memory an instance'],
    Object.entries(starts).map(([name, row]) => [
      TITLES[name], ...[row.startMs, row.emptyMs, row.startMs - row.emptyMs].map((ms) => `${whole(ms)} ms`),
      ...[row.raw, row.gzip].map((bytes) => `${whole(bytes / 1024)} KiB`), `${row.instanceMiB.toFixed(1)} MiB`,
    ]),
  )}

An instance of the Worker is an isolate of workerd, after it has answered; the first one shares what the runtime needs. One of the component is what a
question under way adds to the most memory that Wasmtime had. Wasmtime compiles the component when it starts.
`;
}

const TITLES = { worker: 'Worker in workerd', component: 'component in Wasmtime' };

function loadTable(rows) {
  return table(
    ['at once', 'questions', 'answered', 'mean ms', 'of the ideal', '95 % within ms', 'longest ms', 'calls a question', 'processor ms a question', 'case study: answered', 'case study: mean ms'],
    rows.map((row) => [
      row.readers, row.questions, percent(row.answered), whole(row.meanMs), row.ofIdeal.toFixed(3), whole(row.p95Ms), whole(row.maxMs), row.callsEach.toFixed(2), row.cpuEachMs.toFixed(1),
      percent(STUDY[row.readers].answered), whole(STUDY[row.readers].meanMs),
    ]),
  );
}
