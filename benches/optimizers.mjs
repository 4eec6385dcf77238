// What the optimizers make of a small model: how often it routes a ticket to the right team, before and after each of them.
//
//   node benches/optimizers.mjs [--seeds 0,1,2] [--only NAME,...] [--answers FOLDER] [--model qwen-1.5b] [--python PATH]
//
// Each seed draws another training set of 24 tickets and another held-out set of 40 from the 160 of optimizers/tickets.jsonl, as many of each team,
// and seeds the optimizers that have a seed. Answers are kept in the folder, so that a run that was broken off goes on where it was; all of it takes
// hours on two cores. Rows are printed as they come, and the table at the end. With the path of a Python that has DSPy, what BootstrapFewShot finds here is
// evaluated there too with the first seed, and the other way round: optimizers_dspy.py. `npm run build` must have been run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { configure, evaluate, init, inspect, predict, signature, Workspace } from 'lakelet';
import { FolderStore } from 'lakelet/node';
import {
  BetterTogether, BootstrapFewShot, BootstrapFewShotWithRandomSearch, COPRO, DatabricksOptimizedOptimizer, Ensemble, GEPA, InferRules, KNNFewShot,
  LabeledFewShot, MIPROv2, MultiObjective, SIMBA,
} from 'lakelet/optimize';
import { startWorkspace } from 'lakelet-workspace';

const cache = process.env.LAKELET_CACHE || join(homedir(), '.cache', 'lakelet');
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '0,1,2' },
    only: { type: 'string' },
    answers: { type: 'string', default: join(cache, 'bench-optimizers') },
    model: { type: 'string', default: 'qwen-1.5b' },
    python: { type: 'string' },
  },
});
const TRAINING = 3, HELD_OUT = 5; // tickets of each team

const tickets = readFileSync(new URL('optimizers/tickets.jsonl', import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const teams = [...new Set(tickets.map(({ team }) => team))];
const instructions = 'Route a ticket to the team that solves it.', desc = `one of ${teams.join(', ')}`;
const student = () => predict(signature({ instructions, inputs: { ticket: 'str' }, outputs: { team: { type: 'str', desc } } }));

const isRight = ({ team }, prediction) => team === prediction.team.trim().toLowerCase();
/** The metric of GEPA, which asks for words too. */
const explained = (example, prediction) => {
  const right = isRight(example, prediction);
  return { score: right, feedback: right ? 'Right.' : `This ticket is one for ${example.team}, not for ${prediction.team}.` };
};

/** What makes a program of the student. What is smaller than the default is small so that the whole fits into hours. */
const shots = { metric: isRight, maxBootstrappedDemos: 3, maxLabeledDemos: 8 };
const oneByOne = { numThreads: 1 }; // the model answers one request at a time
/** At 1.4, COPRO's own, this model's words are of no language. */
const copro = (proposer, options) => new COPRO({ metric: isRight, promptModel: proposer, initTemperature: 0.7, ...oneByOne, ...options });
const search = () => new BootstrapFewShotWithRandomSearch({ ...shots, ...oneByOne, numCandidatePrograms: 2 });
const OPTIMIZERS = {
  LabeledFewShot: ({ sets }) => new LabeledFewShot({ k: 8 }).compile(student(), sets),
  BootstrapFewShot: ({ sets }) => new BootstrapFewShot(shots).compile(student(), sets),
  BootstrapFewShotWithRandomSearch: ({ sets }) => search().compile(student(), sets),
  KNNFewShot: ({ sets: { trainset }, vectorizer }) => new KNNFewShot({ k: 3, trainset, vectorizer, metric: isRight }).compile(student()),
  Ensemble: async ({ sets, drawn }) => {
    const { candidates } = await search().compile(student(), sets);
    const best = candidates.slice(0, 3).map(({ program }) => program);
    // One after the other on all tickets, so that the model keeps the demos of each in mind: the ensemble is answered by the cache then.
    for (const program of best) await scores(program, drawn);
    return { program: new Ensemble().compile(best) };
  },
  DatabricksOptimizedOptimizer: ({ sets }) => new DatabricksOptimizedOptimizer({ ...shots, ...oneByOne, budgetMs: 5000 }).compile(student(), sets),
  MultiObjective: ({ sets }) => {
    const objectives = [{ measure: 'score', weight: 3 }, { measure: 'latencyMs' }, { measure: 'tokens' }];
    const sources = [new LabeledFewShot({ k: 8 }), search()];
    return new MultiObjective({ metric: isRight, objectives, sources, numCandidates: 3, ...oneByOne }).compile(student(), sets);
  },
  InferRules: ({ sets, proposer }) =>
    new InferRules({ ...shots, ...oneByOne, numCandidates: 2, teacherSettings: { lm: proposer } }).compile(student(), sets),
  COPRO: ({ sets, proposer }) => copro(proposer, { breadth: 3, depth: 2 }).compile(student(), sets),
  GEPA: ({ sets, proposer, seed }) =>
    new GEPA({ metric: explained, maxMetricCalls: 120, reflectionLm: proposer, seed, ...oneByOne }).compile(student(), sets),
  SIMBA: ({ sets, proposer, seed }) =>
    new SIMBA({ metric: isRight, bsize: 8, numCandidates: 2, maxSteps: 2, promptModel: proposer, seed, ...oneByOne }).compile(student(), sets),
  MIPROv2: ({ sets, proposer, seed }) =>
    new MIPROv2({ ...shots, ...oneByOne, auto: null, numCandidates: 3, numTrials: 6, minibatch: false, promptModel: proposer, seed }).compile(student(), sets),
  BetterTogether: ({ sets, proposer, seed }) => {
    const optimizers = { p: search(), c: copro(proposer, { breadth: 2, depth: 1 }) };
    // A tenth of the tickets, its own share, would be two to compare programs on.
    return new BetterTogether({ metric: isRight, optimizers, strategy: 'p -> c', valsetRatio: 0.5, seed, ...oneByOne }).compile(student(), sets);
  },
};

/** What asks no model before the program is called, or what others did. */
const ASKS_LATER = ['none', 'KNNFewShot', 'Ensemble'];

/** Sets by a seed: blocks of a ticket of each team, in an order that follows from it. */
function draw(seed) {
  const blocks = Array.from({ length: tickets.length / teams.length }, (_, i) => tickets.slice(i * teams.length, (i + 1) * teams.length));
  let state = seed + 1;
  for (let i = blocks.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (i + 1));
    [blocks[i], blocks[other]] = [blocks[other], blocks[i]];
  }
  return { trainset: blocks.slice(0, TRAINING).flat(), heldout: blocks.slice(TRAINING, TRAINING + HELD_OUT).flat() };
}

async function scores(program, { trainset, heldout }) {
  const score = async (devset) => (await evaluate(program, { devset, metric: isRight, inputs: ['ticket'], concurrency: 1, maxErrors: devset.length })).score;
  return [await score(trainset), await score(heldout)];
}

/** A program in DSPy, and one of DSPy's here: what both score on the held-out set on either side. */
async function inPython(program, sets) {
  const python = spawn(values.python, [new URL('optimizers_dspy.py', import.meta.url).pathname], { stdio: ['pipe', 'pipe', 'inherit'] });
  python.stdin.end(JSON.stringify({ host: url, token, instructions, desc, ...sets, program: program.save() }));
  const [told] = await Promise.all([python.stdout.setEncoding('utf8').toArray(), once(python, 'exit')]);
  const { loaded, found, program: state } = JSON.parse(told.join('').trim().split('\n').at(-1));
  const theirs = student();
  theirs.load(state);
  return { oursThere: loaded, theirsThere: found, theirsHere: (await scores(theirs, sets))[1] };
}

/** `mean ± standard deviation` of a sample. */
function spread(numbers) {
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const deviation = Math.sqrt(numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / (numbers.length - 1));
  return numbers.length > 1 ? `${mean.toFixed(1)} ± ${deviation.toFixed(1)}` : mean.toFixed(1);
}

const { url, token, close } = await startWorkspace({ port: 0, model: values.model, documents: false, sequences: 1, threads: 1, data: join(values.answers, 'workspace') });
await init();
const workspace = new Workspace({ host: url, token });
// A reply that does not end would fill the context.
const lm = workspace.lm('local-chat', { max_tokens: 60 });
configure({ workspace, lm, cache: new FolderStore(values.answers) });
const shared = { proposer: workspace.lm('local-chat', { max_tokens: 400 }), vectorizer: workspace.embedder('local-embedding') };

const rows = new Map(), seeds = values.seeds.split(',').map(Number);
const chosen = values.only?.split(',') ?? ['none', ...Object.keys(OPTIMIZERS)];
for (const name of chosen) {
  for (const seed of seeds) {
    const drawn = draw(seed);
    const found = name === 'none' ? { program: student() } : await OPTIMIZERS[name]({ ...shared, drawn, sets: { trainset: drawn.trainset, budget: {} }, seed });
    const [train, heldOut] = await scores(found.program, drawn);
    const calls = ASKS_LATER.includes(name) ? 0 : inspect(found).spent.calls;
    const python = values.python && name === 'BootstrapFewShot' && seed === seeds[0] ? await inPython(found.program, drawn) : undefined;
    console.log(JSON.stringify({ seed, optimizer: name, train, heldOut, calls, failed: found.failed, ...python }));
    const of = rows.get(name) ?? rows.set(name, { train: [], heldOut: [] }).get(name);
    of.train.push(train);
    of.heldOut.push(heldOut);
  }
}
console.log('\n| optimizer | train | held-out |\n|---|---:|---:|');
for (const [name, { train, heldOut }] of rows) console.log(`| ${name} | ${spread(train)} | ${spread(heldOut)} |`);
await close();
