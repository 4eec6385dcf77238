/** `lakelet optimize` */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { inspect } from 'lakelet';
import type { Chosen, Estimate, Observer, Optimized, Progress, Served } from 'lakelet/optimize';

import { budget, camel, number, options, SHARED, type SharedFlags } from './flags.js';
import { OPTIMIZE } from './help.js';
import { optimizer } from './optimizers.js';
import { Platform } from './platform.js';
import { loadMetric, loadProgram, type AnyProgram } from './program.js';
import { ProgressLine } from './progress.js';
import { inputsOfProgram, readSet } from './sets.js';
import { callOptions, ended, type Host } from './shared.js';
import { intoFolder, UsageError } from './usage.js';
import { asJson, columns, count, duration, line, spending, stopped } from './words.js';

const FLAGS = {
  ...SHARED,
  optimizer: { type: 'string' },
  option: { type: 'string', multiple: true },
  trainset: { type: 'string' },
  valset: { type: 'string' },
  estimate: { type: 'boolean' },
  out: { type: 'string', short: 'o' },
} as const;
/** How many scores of candidates are shown. */
const SHOWN = 10;

/** Optimizes a program; gives the exit code. */
export async function optimizeCommand(args: string[], host: Host): Promise<number> {
  const { values: flags, positionals: [given, ...more] } = parseArgs({ args, options: FLAGS, allowPositionals: true });
  if (flags.help) return host.print(OPTIMIZE), 0;
  if (given === undefined || more.length > 0) throw new UsageError('give one program: a signature, a pipeline document, or a module');
  if (flags.optimizer === undefined) throw new UsageError('--optimizer is missing: MIPROv2 for instance');
  if (flags.trainset === undefined) throw new UsageError('--trainset is missing: the examples to learn from');
  if (flags.out === undefined && !flags.estimate) throw new UsageError('--out is missing: the file that the program is saved in');
  intoFolder('out', flags.out);

  const platform = new Platform(flags);
  const [numThreads, maxErrors] = [number(flags, 'concurrency'), number(flags, 'max-errors')];
  const own = options('option', flags.option, camel);
  const calling = { ...(numThreads !== undefined && { numThreads }), ...(maxErrors !== undefined && { maxErrors }) };
  const program = await loadProgram(given, flags.state, flags['chain-of-thought']);
  const by = optimizer(flags.optimizer, flags.metric === undefined ? undefined : await loadMetric(flags.metric), own, calling);
  const inputs = inputsOfProgram(program, flags);
  const trainset = await readSet('trainset', flags.trainset, inputs.required, flags, platform);
  const valset = flags.valset === undefined ? undefined : await readSet('valset', flags.valset, inputs.required, flags, platform);
  const sets = { trainset, ...(valset && { valset }), ...(inputs.named && { inputs: inputs.named }) };

  const estimate = await by.estimate(program, sets);
  if (flags.estimate) return host.print(flags.json ? JSON.stringify(estimate, null, 2) : inWords(estimate, flags)), 0;
  const progress = new ProgressLine();
  progress.say(`${by.name} on ${count(trainset.length)} examples: ${inWords(estimate, flags)}`);
  const work = ['optimize', given, flags.optimizer, own, flags.trainset, flags.valset];
  const call = await callOptions(flags, work, platform, host);
  const onProgress = (now: Progress) => progress.show(now.scored, estimate.programCalls, progressText(now));
  const found = await by.compile(program, { ...call, ...sets, observer: telling(progress), onProgress }).finally(() => progress.end());
  const out = saved(flags.out as string, program, found);
  host.print(flags.json ? JSON.stringify(described(by.name, found, out), null, 2) : table(by.name, found, out));
  return ended(flags, host);
}

/** Saves what was found, and gives the file. A search that was ended before it found anything must not take the place of an earlier one. */
function saved(file: string, student: AnyProgram, { program, candidates, stoppedBy }: Found): string | null {
  const state = program.save();
  if (stoppedBy && candidates.length === 0 && state === student.save()) return null;
  writeFileSync(file, state);
  return file;
}

function inWords({ programCalls, proposals, modelCalls, promptTokens, completionTokens }: Estimate, flags: SharedFlags): string {
  // Of several models the dearest is taken for all of them.
  const prices = Object.values(budget(flags).prices ?? {});
  const dollars = Math.max(...prices.map(({ input, output }) => (input * promptTokens + output * completionTokens) / 1e6));
  const cost = prices.length > 0 ? `, $${dollars.toFixed(2)}` : '';
  return `at most ${count(programCalls)} calls of the program and ${count(proposals)} proposals: ${count(modelCalls)} calls of models, ${count(promptTokens + completionTokens)} tokens${cost}`;
}

function progressText({ trials, best, failed, spent, elapsedMs }: Progress): string {
  const parts = [`${trials} candidates`, best !== null && `best ${best}`, failed > 0 && `${count(failed)} failed`, spent && spending(spent), duration(elapsedMs)];
  return parts.filter(Boolean).join('  ');
}

function telling(progress: ProgressLine): Observer<AnyProgram> {
  return { tried: ({ optimizer: name, number: place, evaluation: { score } }) => progress.say(`candidate ${place} of ${name} scores ${score}`) };
}

/** What optimizers tell beside, that look at more than the score. */
type Found = Optimized<AnyProgram> & Partial<Served<AnyProgram>> & Partial<Chosen<AnyProgram>>;

function described(name: string, found: Found, out: string | null): object {
  const { score, candidates, stoppedBy, failed, lastFailure, serving, front, why } = found;
  const { usage, spent } = inspect(found);
  const beside = { ...(serving !== undefined && { serving }), ...(front && { front: front.map(({ program, ...it }) => it), why }) };
  const failures = { failed, lastFailure: asJson(lastFailure) };
  return { optimizer: name, score, candidates: candidates.map((it) => it.score), ...beside, ...failures, usage, spent, stoppedBy: asJson(stoppedBy), out };
}

function table(name: string, found: Found, out: string | null): string {
  const { score, candidates, stoppedBy, failed, lastFailure, serving, front, why } = found;
  const { usage, spent } = inspect(found);
  const scores = candidates.slice(0, SHOWN).map((it) => it.score).join(', ');
  const measures = (of: object) => Object.entries(of).map(([measure, value]) => `${measure} ${Number(value).toFixed(2)}`).join(', ');
  const rows: [string, string][] = [['optimizer', name]];
  if (score !== null) rows.push(['score', score.toFixed(2)], ['candidates', `${count(candidates.length)}: ${scores}${candidates.length > SHOWN ? ' ...' : ''}`]);
  if (serving) rows.push(['serving', measures(serving)]);
  for (const { model, objectives } of front ?? []) rows.push(['front', `${model ?? 'the model'}: ${measures(objectives)}`]);
  if (why !== undefined) rows.push(['chosen', why]);
  if (lastFailure) rows.push(['failed', `${count(failed)}, the last time: ${line(lastFailure)}`]);
  rows.push(['tokens', `${count(usage.totalTokens)}, ${count(usage.promptTokens)} of them in prompts`]);
  if (spent) rows.push(['spent', spending(spent)]);
  rows.push(out === null ? ['not saved', 'nothing was found yet'] : ['saved in', out]);
  return [columns(rows), ...(stoppedBy ? [stopped(stoppedBy)] : [])].join('\n');
}
