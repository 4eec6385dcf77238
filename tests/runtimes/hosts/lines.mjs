// Hosts that are programs: a call is a line of JSON, and so is what it comes to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { root } from '../build.mjs';
import { toLine } from '../guests/lines.mjs';

export function startProgram(command, args) {
  const program = spawn(command, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = once(program, 'exit');
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  program.stdin.on('error', () => {}); // it ended: `lines` tells
  return {
    async call(...call) {
      program.stdin.write(`${toLine(call)}\n`);
      const { value, done } = await lines.next();
      return done ? { error: `${command} ended` } : JSON.parse(value);
    },
    async stop() {
      program.stdin.end();
      await exit;
    },
  };
}
