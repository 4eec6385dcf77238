// The assistant at the edge, as a Worker and as a component, under load: many questions at once, against a workspace whose model answers
// after a fixed time and which fails as often as it is told to; then cold start, payload and memory.
//
//   node benches/edge.mjs          (`make bench-edge` builds first)
//
// Prints the tables, and writes them to docs/edge-benchmarks.md with the plot docs/edge-load.svg.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { FAULTS } from './edge/endpoint.mjs';
import {
  buildEmptyComponent, openWorker, startByHand, startComponent, startEmptyComponent, startEmptyWorker, startEndpoint, startWorker,
} from './edge/hosts.mjs';
import { ask, coldStart, load, peakMiB, reach, residentMiB } from './edge/measure.mjs';
import { plot } from './edge/plot.mjs';
import { report } from './edge/report.mjs';

const built = (name) => fileURLToPath(new URL(`../build/component/${name}`, import.meta.url));
const COMPONENT = 'lakelet-server.component.wasm';
const docs = (name) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
const MODEL_MS = 2000;
const SEARCH_MS = 100;
/** Refined query, search, answer; then the check and the formatting side by side. */
const IDEAL_MS = 3 * MODEL_MS + SEARCH_MS;
const STEPS = [[10, 3], [50, 2], [100, 2], [500, 2]];
const ISOLATES = 5;

const steady = { modelMs: MODEL_MS, searchMs: SEARCH_MS };
const failing = { ...steady, faults: FAULTS, rate: 0.1 };
const worker = await openWorker();
const endpoint = await startEndpoint();
const say = (line) => console.error(line);

async function measured(host, script, readers, rounds) {
  const row = await load(host, endpoint, { script, readers, rounds, idealMs: IDEAL_MS });
  say(`${readers} at once: ${row.answered.toFixed(1)} % answered, mean ${row.meanMs.toFixed(0)} ms (${row.ofIdeal.toFixed(3)} of the ideal), ${row.cpuEachMs.toFixed(1)} ms of processor each`);
  row.failures.slice(0, 3).forEach((failure) => say(`  not answered: ${failure}`));
  return row;
}

async function rows(host, script) {
  const all = [];
  for (const [readers, rounds] of STEPS) all.push(await measured(host, script, readers, rounds));
  return all;
}

async function underLoad() {
  const host = await startWorker(worker, endpoint.url);
  say('warming up');
  await load(host, endpoint, { script: { ...steady, modelMs: 100 }, readers: 40, rounds: 8, idealMs: 400 });
  say('the Worker, nothing injected');
  const plain = await rows(host, steady);
  say('the Worker, one call in ten fails');
  const mixed = await rows(host, failing);
  const kinds = [];
  for (const fault of FAULTS) {
    say(`one call in ten: ${fault}`);
    kinds.push({ fault, ...(await measured(host, { ...failing, faults: [fault] }, 100, 1)) });
  }
  await host.close();
  say('the same calls by hand');
  const byHand = await startByHand(worker, endpoint.url);
  await load(byHand, endpoint, { script: { ...steady, modelMs: 100 }, readers: 40, rounds: 8, idealMs: 400 });
  const floor = await measured(byHand, steady, 100, 2);
  await byHand.close();
  return { plain, mixed, kinds, floor };
}

/** Each question has an instance of its own, so that the most memory is that of so many instances. */
async function componentUnderLoad() {
  const host = await startComponent(built(COMPONENT), endpoint.url);
  await ask(host.url);
  const before = peakMiB(host.pid);
  say('the component, nothing injected');
  const plain = await rows(host, steady);
  const instanceMiB = (peakMiB(host.pid) - before) / plain.at(-1).readers;
  say('the component, one call in ten fails');
  const mixed = await rows(host, failing);
  await host.close();
  return { plain, mixed, instanceMiB };
}

async function sizes(folder, files) {
  const bytes = await Promise.all(files.map((file) => readFile(join(folder, file))));
  const sum = (of) => bytes.reduce((total, file) => total + of(file), 0);
  return { raw: sum((file) => file.length), gzip: sum((file) => gzipSync(file, { level: 9 }).length) };
}

/** What an isolate more needs, after it has answered. */
async function isolateMiB() {
  const resident = async (isolates) => {
    const host = await startWorker(worker, endpoint.url, isolates);
    for (let i = 0; i < isolates; i++) await ask(host.url, undefined, { 'x-isolate': `isolate${i}` });
    const used = residentMiB(host.pid);
    await host.close();
    return used;
  };
  return (await resident(ISOLATES) - (await resident(1))) / (ISOLATES - 1);
}

async function starts(component) {
  say('cold starts');
  const empty = await buildEmptyComponent();
  await endpoint.script({});
  return {
    worker: {
      startMs: await coldStart(() => startWorker(worker, endpoint.url), ask),
      emptyMs: await coldStart(() => startEmptyWorker(worker), reach),
      ...(await sizes(worker.folder, worker.modules.map(({ name }) => name))),
      instanceMiB: await isolateMiB(),
    },
    component: {
      startMs: await coldStart(() => startComponent(built(COMPONENT), endpoint.url), ask),
      emptyMs: await coldStart(() => startEmptyComponent(empty), reach),
      ...(await sizes(built(''), [COMPONENT])),
      instanceMiB: component.instanceMiB,
    },
  };
}

const onWorker = await underLoad();
const component = await componentUnderLoad();
const results = { idealMs: IDEAL_MS, modelMs: MODEL_MS, searchMs: SEARCH_MS, ...onWorker, component, starts: await starts(component) };
endpoint.close();
await worker.close();
const text = report(results);
await writeFile(docs('edge-benchmarks.md'), text);
await writeFile(docs('edge-load.svg'), plot(results));
console.log(text);
