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

/** Whether a table tells of a runtime what the other, of one row, tells. Versions are the machine's, and the head's counts grow with every new test. */
export function tellsTheSame(table, { rows: [row] }) {
  const told = table.rows.find(([name]) => name === row[0]);
  return row.every((cell, at) => at === 1 || cell === told?.[at]);
}

export const print = ({ head, rows }) => line(head) + line(head.map(() => '---')) + rows.map(line).join('');

export function write(table) {
  writeFileSync(DOCUMENT, readFileSync(DOCUMENT, 'utf8').replace(TABLE, () => print(table)));
}
