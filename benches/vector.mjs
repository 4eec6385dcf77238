// How fast, how exact and how large the vector search of the local workspace is, through its REST API.
//
//   node benches/vector.mjs [--sizes 1000,10000,100000] [--queries 200] [--seed 1] [--json FILE] [--keep FOLDER]
//
// --keep leaves the workspaces there, and asks the ones it finds there again instead of filling new ones.
//
// For each size a workspace is started in a process of its own with an empty folder, filled over HTTP in upserts of a
// thousand documents, and asked one query after the other. Recall is against exact answers computed here: all distances,
// all BM25 scores. `npm run build` must have been run.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DIMENSION, exactMatching, exactNearest, fuse, makeDocuments } from './vector-data.mjs';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000' },
    queries: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    keep: { type: 'string' },
  },
});
/** What the case study reports: seconds to index, milliseconds a query. */
const STUDY = { 1000: [30, 45], 10000: [180, 52], 100000: [1200, 68], 1000000: [8000, 95] };
const INDEX = 'main.bench.documents';
const SEARCH = '/api/2.0/vector-search';
const BATCH = 1000;
const TOP = 10;
/** Queries whose exact answers are computed: the exact search takes long at a million documents. */
const CHECKED = 50;
/** How deep the workspace fuses rankings. */
const FUSED = 100;

const FILTERS = [
  { name: 'none', json: null, passes: () => true },
  { name: '10 %', json: { kind: 'kind-3' }, passes: (i, documents) => documents.kind(i) === 3 },
  { name: '0.1 %', json: { batch: 77 }, passes: (i, documents) => documents.batch(i) === 77 },
];

async function startServer(folder) {
  const server = fork(new URL('./vector-server.mjs', import.meta.url), [folder]);
  const [{ url, token }] = await once(server, 'message');
  const call = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer.message}`);
    return answer;
  };
  const usage = async () => {
    server.send('usage');
    const [answer] = await once(server, 'message');
    return answer;
  };
  const close = async () => {
    server.send('close');
    await once(server, 'exit');
  };
  return { call, usage, close };
}

async function createIndex(call) {
  await call('POST', `${SEARCH}/endpoints`, { name: 'bench', endpoint_type: 'STANDARD' });
  const columns = { id: 'int', text: 'string', kind: 'string', batch: 'int', embedding: 'array<float>' };
  await call('POST', `${SEARCH}/indexes`, {
    name: INDEX,
    endpoint_name: 'bench',
    index_type: 'DIRECT_ACCESS',
    primary_key: 'id',
    direct_access_index_spec: {
      embedding_vector_columns: [{ name: 'embedding', embedding_dimension: DIMENSION }],
      schema_json: JSON.stringify(columns),
    },
  });
}

/** Writes all documents, and meanwhile asks for something light, to see how long the server is away at most. */
async function fill(call, documents) {
  const started = performance.now();
  let filling = true;
  let pause = 0;
  const watcher = (async () => {
    while (filling) {
      const asked = performance.now();
      await call('GET', `${SEARCH}/endpoints/bench`);
      pause = Math.max(pause, performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  for (let at = 0; at < documents.count; at += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, documents.count - at) }, (_, i) => documents.row(at + i));
    await call('POST', `${SEARCH}/indexes/${INDEX}/upsert-data`, { inputs_json: JSON.stringify(rows) });
    if (at % 50_000 === 0 && at > 0) console.error(`  ${at} documents after ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  const seconds = (performance.now() - started) / 1000;
  filling = false;
  await watcher;
  return { seconds, pause };
}

async function ask(call, queries, type, filter) {
  const times = [];
  const answers = [];
  for (const query of queries) {
    const body = {
      columns: ['id', 'text'],
      num_results: TOP,
      query_type: type,
      query_vector: query.vector,
      ...(type === 'HYBRID' && { query_text: query.text }),
      ...(filter.json && { filters_json: JSON.stringify(filter.json) }),
    };
    const asked = performance.now();
    const { result } = await call('POST', `${SEARCH}/indexes/${INDEX}/query`, body);
    times.push(performance.now() - asked);
    answers.push(result.data_array.map(([id]) => id));
  }
  const [first] = times;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { type, filter, first, p50: at(0.5), p95: at(0.95), answers };
}

function recall(documents, queries, type, filter, answers) {
  const passes = (i) => filter.passes(i, documents);
  let found = 0;
  let wanted = 0;
  queries.slice(0, CHECKED).forEach((query, q) => {
    const exact =
      type === 'ANN'
        ? exactNearest(documents, query, passes, TOP)
        : fuse([exactNearest(documents, query, passes, FUSED), exactMatching(documents, query, passes, FUSED)], TOP);
    wanted += exact.length;
    found += exact.filter((i) => answers[q].includes(i)).length;
  });
  return found / wanted;
}

function folderSize(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Fills a workspace in this folder, and returns what that took; what was filled before is left as it is. */
async function fillOnce(folder, documents) {
  const file = join(folder, 'filled.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const server = await startServer(folder);
  const empty = await server.usage();
  await createIndex(server.call);
  const { seconds, pause } = await fill(server.call, documents);
  const full = await server.usage();
  const filled = { seconds, pause, memory: full.memory - empty.memory, processor: full.seconds - empty.seconds };
  await server.close();
  writeFileSync(file, JSON.stringify(filled));
  return filled;
}

async function measure(size) {
  const folder = values.keep ? join(values.keep, `${size}-${values.seed}`) : mkdtempSync(join(tmpdir(), 'lakelet-vector-bench-'));
  try {
    console.error(`${size} documents: making them`);
    const documents = makeDocuments(size, Number(values.seed));
    const queries = documents.queries(Number(values.queries), Number(values.seed) + 1);
    const filled = await fillOnce(folder, documents);
    const started = performance.now();
    const server = await startServer(folder);
    await ask(server.call, queries.slice(0, 1), 'HYBRID', FILTERS[0]);
    const restart = (performance.now() - started) / 1000;
    console.error('  asking');
    const asked = [];
    for (const type of ['ANN', 'HYBRID']) {
      for (const filter of FILTERS) asked.push(await ask(server.call, queries, type, filter));
    }
    await server.close();
    console.error('  comparing with exact answers');
    const results = asked.map(({ type, filter, first, p50, p95, answers }) => {
      return { type, filter: filter.name, first, p50, p95, recall: recall(documents, queries, type, filter, answers) };
    });
    return { size, ...filled, disk: folderSize(folder) / 1e6, restart, results };
  } finally {
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
  }
}

function print(runs) {
  console.log(`Node ${process.version}, ${cpus().length} cores (${cpus()[0].model}), ${DIMENSION} dimensions, seed ${values.seed}\n`);
  console.log('| documents | indexed in s | (study) | processor s | documents/s | longest pause ms | memory MB | disk MB | restart s |');
  console.log('|---:|---:|---:|---:|---:|---:|---:|---:|---:|');
  for (const { size, seconds, pause, memory, processor, disk, restart } of runs) {
    const cells = [size, seconds.toFixed(1), STUDY[size]?.[0] ?? '', processor.toFixed(0), (size / seconds).toFixed(0), pause.toFixed(0), memory.toFixed(0), disk.toFixed(0), restart.toFixed(1)];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log('\n| documents | query | filter | first ms | p50 ms | p95 ms | (study ms) | recall@10 |');
  console.log('|---:|---|---|---:|---:|---:|---:|---:|');
  for (const { size, results } of runs) {
    for (const { type, filter, first, p50, p95, recall } of results) {
      console.log(`| ${[size, type, filter, first.toFixed(1), p50.toFixed(1), p95.toFixed(1), STUDY[size]?.[1] ?? '', recall.toFixed(3)].join(' | ')} |`);
    }
  }
}

const runs = [];
for (const size of values.sizes.split(',').map(Number)) {
  runs.push(await measure(size));
  if (values.json) writeFileSync(values.json, JSON.stringify(runs, null, 2));
}
print(runs);
