// The recorded cases and the tests of programs, in every runtime that is on this machine.
//
//   node tests/runtimes/run.mjs             all of them; fails where a result is not expected, or not that of the others
//   node tests/runtimes/run.mjs Deno Bun    some of them
//   node tests/runtimes/run.mjs --write     writes that table
import { parseArgs } from 'node:util';

import { buildComponent, buildWeb, root } from './build.mjs';
import { hosts, look } from './hosts.mjs';
import { runSuite, surprises } from './suite.mjs';
import { committedTable, print, sameResults, tableOf, write } from './table.mjs';

const { values, positionals: chosen } = parseArgs({ allowPositionals: true, options: { write: { type: 'boolean' } } });
const unknown = chosen.find((name) => !hosts.some((host) => host.name === name));
if (unknown) {
  console.error(`there is no runtime "${unknown}". There are: ${hosts.map((host) => host.name).join(', ')}`);
  process.exit(2);
}

const folder = `${root}tests/conformance/cases`;
const seen = [];
const problems = [];

buildWeb();
await buildComponent();
for (const host of hosts.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
  const { version, skipped } = look(host);
  if (skipped) console.log(`${host.name}: skipped, ${skipped}`);
  else await runHost(host, version).catch((error) => problems.push(`${host.name}: ${error.message}`));
}

async function runHost(host, version) {
  const results = host.run ? host.run(folder) : await runSuite(host.start, folder);
  const table = tableOf(host, version, results);
  seen.push(table);
  problems.push(...surprises(results).map((line) => `${host.name}: ${line}`));
  if (!sameResults(table, seen[0])) problems.push(`${host.name} has other results than ${seen[0].rows[0][0]}`);
}

const rows = seen.flatMap((table) => table.rows);
if (rows.length > 0) console.log(print({ head: seen[0].head, rows }));
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else if (values.write && rows.length > 0) {
  const [now, before] = [rows, committedTable().rows].map((rows) => new Map(rows.map((row) => [row[0], row])));
  write({ head: seen[0].head, rows: hosts.map(({ name }) => now.get(name) ?? before.get(name)).filter(Boolean) });
}
