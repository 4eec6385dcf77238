// The table of results in docs/runtimes.md. It holds no times, and its versions are those of the machine that wrote it.
import { readFileSync, writeFileSync } from 'node:fs';

import { root } from './build.mjs';

const DOCUMENT = `${root}docs/runtimes.md`;
const TABLE = /^\| Runtime .*\n(?:\|.*\n)+/m;
const number = new Intl.NumberFormat('en-US').format;
const cells = (line) => line.split('|').slice(1, -1).map((cell) => cell.trim());
const line = (cells) => `| ${cells.join(' | ')} |\n`;
const allBut = (failing) => (failing === 0 ? 'all' : `all but ${number(failing)}`);

/** A table, `{ head, rows }`, of one row. */
export function tableOf({ name, runs }, version, { cases, failing, tests }) {
  const head = ['Runtime', 'Version', 'Runs', `${number(cases)} recorded cases`, `${number(tests.length)} tests of programs`];
  return { head, rows: [[name, version, runs, allBut(failing.length), allBut(tests.filter(([, problem]) => problem).length)]] };
}

export function committedTable() {
  const [head, , ...rows] = TABLE.exec(readFileSync(DOCUMENT, 'utf8'))[0].trimEnd().split('\n');
  return { head: cells(head), rows: rows.map(cells) };
}

/** Whether two tables of one row tell the same of two runtimes. */
export function sameResults(one, other) {
  const results = ({ head, rows: [row] }) => `${[head, row].map((cells) => cells.slice(3))}`;
  return results(one) === results(other);
}

export const print = ({ head, rows }) => line(head) + line(head.map(() => '---')) + rows.map(line).join('');

export function write(table) {
  writeFileSync(DOCUMENT, readFileSync(DOCUMENT, 'utf8').replace(TABLE, () => print(table)));
}
