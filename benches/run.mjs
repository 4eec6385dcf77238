// Lakelet beside Python DSPy and ax, in one run on one machine, as ratios: the absolute numbers are this machine's.
//
//   node benches/run.mjs          (`make bench` builds first)
//
// Peers are installed once under $LAKELET_CACHE/benches (npm: @ax-llm/ax; PyPI: dspy).
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as fixture from './fixtures.mjs';

const AX = '24.0.21';
const DSPY = '3.4.1';
const cache = `${process.env.LAKELET_CACHE ?? `${homedir()}/.cache/lakelet`}/benches`;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
mkdirSync(cache, { recursive: true });
if (!existsSync(`${cache}/node_modules/@ax-llm/ax`)) {
  console.log(`installing ax ${AX} ...`);
  execFileSync('npm', ['install', '--silent', '--ignore-scripts', '--prefix', cache, `@ax-llm/ax@${AX}`], { stdio: 'inherit' });
}
if (!existsSync(`${cache}/python/bin/dspy-ready`)) {
  console.log(`installing DSPy ${DSPY} (about a minute) ...`);
  execFileSync('sh', ['-c', `python3 -m venv '${cache}/python' && '${cache}/python/bin/pip' install -q dspy==${DSPY} && touch '${cache}/python/bin/dspy-ready'`], { stdio: 'inherit' });
}

function output(command, args, input) {
  const run = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${run.stderr}`);
  return JSON.parse(run.stdout.trim().split('\n').at(-1));
}
const runs = 7;
const ready = (args) => Array.from({ length: runs }, () => output(process.execPath, args)).sort((a, b) => a - b)[runs >> 1];

console.log('measuring (two minutes or so) ...');
const lakelet = output(process.execPath, [here('lakelet.mjs')]);
const ax = output(process.execPath, [here('ax.mjs'), cache]);
const given = {
  signature: fixture.signature,
  instructions: fixture.instructions,
  inputs: fixture.inputs,
  devset: fixture.devset,
  demos: Object.fromEntries([0, 4, 16].map((count) => [count, fixture.demos(count)])),
  cleanReply: fixture.cleanReply,
  sloppyReply: fixture.sloppyReply,
};
const dspy = output(`${cache}/python/bin/python`, [here('dspy_bench.py')], JSON.stringify(given));

const ROWS = [
  ['signature', 'signature parse, 2 in / 3 out'],
  ['signature, short', 'signature parse, question -> answer'],
  ['render 0', 'render, no demos'],
  ['render 4', 'render, 4 demos'],
  ['render 16', 'render, 16 demos'],
  ['parse clean', 'parse a clean reply'],
  ['parse sloppy', 'parse a sloppy reply'],
  ['call', 'whole call, instant model'],
  ['evaluate', 'an example of 1,000, evaluated'],
];
const cell = (value) => (value === undefined ? '–' : value.toFixed(1)).padStart(10);
const ratio = (peer, own) => (peer === undefined || own === undefined ? '–' : `${(peer / own).toFixed(1)}×`).padStart(9);
console.log(`\nmicroseconds a call, median (best round)\n${''.padEnd(38)}   Lakelet    (best)        ax   ratio    DSPy   ratio`);
for (const [key, title] of ROWS) {
  const [l, a, d] = [lakelet[key], ax[key], dspy[key]];
  console.log(title.padEnd(38) + cell(l?.median) + cell(l?.best) + cell(a?.median) + ratio(a?.median, l?.median) + cell(d?.median) + ratio(d?.median, l?.median));
}
const [own, peer] = [ready([here('ready.mjs')]), ready([here('ready-ax.mjs'), cache])];
console.log(`\nimport to ready, fresh process, median of ${runs}: Lakelet ${own.toFixed(1)} ms, ax ${peer.toFixed(1)} ms (${(peer / own).toFixed(1)}×)`);

const { wasm, script } = output(process.execPath, [here('payload.mjs')]);
console.log('\npayload of a signature and a Databricks call, bytes');
for (const [name, sizes] of [['wasm', wasm], ['JavaScript', script]]) console.log(`  ${name.padEnd(12)} raw ${sizes.raw}  gzip ${sizes.gzip}  brotli ${sizes.brotli}`);
console.log(`  ${'together'.padEnd(12)} raw ${wasm.raw + script.raw}  gzip ${wasm.gzip + script.gzip}  brotli ${wasm.brotli + script.brotli}`);
