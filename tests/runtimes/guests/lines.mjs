// Calls of the suite over standard input and output, a line of JSON each.
import { createInterface } from 'node:readline';

import { answer } from './answer.mjs';

/** A value as one line: to some readers, U+2028 and U+2029 end a line too. */
export const toLine = (value) => JSON.stringify(value).replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);

export async function answerLines(suite) {
  for await (const line of createInterface({ input: process.stdin })) console.log(toLine(answer(suite, JSON.parse(line))));
}
