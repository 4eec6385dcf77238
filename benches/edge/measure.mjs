// What a process has used, as Linux tells it, and what clients of one saw.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;
let asked = 1;

/** Milliseconds of processor time, of all threads. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory in MiB. */
export function residentMiB(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** The most that was resident so far, in MiB. */
export function peakMiB(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** Asks with so many readers at once, each so many times, against an endpoint that follows the script. */
export async function load(host, endpoint, { script, readers, rounds, idealMs }) {
  await endpoint.script(script);
  const before = cpuMs(host.pid);
  const questions = { url: host.url, readers, rounds, spreadMs: idealMs, first: asked };
  asked += readers * rounds;
  const { stdout } = await promisify(execFile)(process.execPath, [CLIENT, JSON.stringify(questions)], { maxBuffer: 1 << 26 });
  const used = cpuMs(host.pid) - before;
  const { calls, faults } = await endpoint.script(script);
  const answers = JSON.parse(stdout);
  const failures = answers.flatMap(({ failure }) => failure ?? []);
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  return {
    readers,
    questions: answers.length,
    failures,
    answered: (100 * (answers.length - failures.length)) / answers.length,
    meanMs: mean,
    ofIdeal: mean / idealMs,
    p95Ms: times[Math.floor(times.length * 0.95)],
    maxMs: times.at(-1),
    callsEach: calls / answers.length,
    faults: Object.values(faults).reduce((sum, count) => sum + count, 0),
    cpuEachMs: used / answers.length,
    residentMiB: residentMiB(host.pid),
  };
}

/** Milliseconds from the start of a process to its first answer, the median of a few. */
export async function coldStart(start, ask, times = 7) {
  const measured = [];
  for (let i = 0; i < times; i++) {
    const begin = performance.now();
    const host = await start();
    await ask(host.url, asked++);
    measured.push(performance.now() - begin);
    await host.close();
  }
  return measured.sort((a, b) => a - b)[times >> 1];
}

/** One question, answered whole. */
export async function ask(url, season = asked++, headers = {}) {
  const body = JSON.stringify({
    inputs: { question: `How many unused rest days can be moved after season ${season}?` },
    user: { role: 'employee', region: 'EU', department: 'engineering' },
  });
  const address = `${url}/api/programs/enterprise_assistant`;
  const answer = await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json', 'cf-connecting-ip': `10.0.${season >> 8}.${season & 255}`, ...headers }, body });
  const text = await answer.text();
  if (!text.includes(`season ${season} `)) throw new Error(`no answer: ${answer.status} ${text.slice(0, 300)}`);
}

/** Any request, answered. */
export async function reach(url) {
  await (await fetch(url)).text();
}
