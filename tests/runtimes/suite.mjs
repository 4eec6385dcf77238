// A run of the suite in one runtime, and what the ledger says of it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './build.mjs';

/** The texts of the case files of a folder, in the order of their names. */
export function caseFiles(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
  const files = names.map((name) => readFileSync(join(folder, name), 'utf8'));
  return files.filter((text) => Array.isArray(JSON.parse(text).cases));
}

/**
 * Runs everything in a host: `{ cases, failing: [[id, operation, problem], ...], tests: [[name, problem or null], ...] }`.
 * A test that fails takes its instance along, so the host is started again for the next.
 */
export async function runSuite(start, folder) {
  let host = await start();
  async function call(...call) {
    const { ok, error } = await host.call(...call);
    if (error === undefined) return [ok, null];
    await host.stop();
    host = await start();
    return [null, error];
  }
  try {
    const results = [];
    for (const text of caseFiles(folder)) {
      const [answer, problem] = await call('cases', text);
      const { category } = JSON.parse(text);
      results.push(...(answer ? JSON.parse(answer) : [[category, 'a whole file', problem]]));
    }
    const tests = [];
    const [names, problem] = await call('tests');
    if (problem) throw new Error(problem);
    for (const name of names) tests.push([name, (await call('test', name))[1]]);
    return { cases: results.length, failing: results.filter((result) => result[2] !== null), tests };
  } finally {
    await host.stop();
  }
}

const lines = readFileSync(`${root}tests/conformance/expected-failures.txt`, 'utf8').split('\n');
const listed = new Set(lines.filter((line) => line && !line.startsWith('#')).map((line) => line.split(' ', 1)[0]));

/** What went otherwise than the ledger says, a line each. */
export function surprises({ failing, tests }) {
  const ids = new Set(failing.map(([id]) => id));
  const unlisted = failing.filter(([id, operation, problem]) => !listed.has(id) && !(listed.has(`op:${operation}`) && problem.startsWith('not built')));
  const passing = [...listed].filter((id) => !id.startsWith('op:') && !ids.has(id));
  return [
    ...unlisted.map(([id, operation, problem]) => `${id} ${operation}: ${problem}`),
    ...passing.map((id) => `${id} is listed in expected-failures.txt, and passes`),
    ...tests.filter(([, problem]) => problem).map(([name, problem]) => `${name}: ${problem}`),
  ];
}
