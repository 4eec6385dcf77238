// Many readers at once, in a process of their own: each asks the assistant one question after the other and reads the events of its answer.
//
//   node benches/edge/client.mjs '{"url": "http://...", "readers": 50, "rounds": 2, "spreadMs": 3100, "first": 1}'
//
// Prints one line of JSON: the milliseconds of each question, and why those failed that did. Questions are numbered from `first` on, so that
// no cache knows an answer, and an answer that belongs to another question is noticed.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const { url, readers, rounds, spreadMs, first } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: readers });

async function ask(season) {
  const inputs = { question: `How many unused rest days can be moved after season ${season}?` };
  const body = JSON.stringify({ inputs, user: { role: 'employee', region: 'EU', department: 'engineering' } });
  const start = performance.now();
  const failure = await answerOf(season, body).catch(String);
  return { ms: performance.now() - start, ...(failure && { failure }) };
}

/** Nothing, or what is wrong with the answer. */
async function answerOf(season, body) {
  const asking = request(`${url}/api/programs/enterprise_assistant`, {
    method: 'POST',
    agent,
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      // Every question comes from a reader of its own, as far as the rate limit is concerned.
      'cf-connecting-ip': `10.0.${season >> 8}.${season & 255}`,
    },
  });
  asking.end(body);
  const [response] = await once(asking, 'response');
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const result = /^event: result\ndata: (.*)$/m.exec(text)?.[1];
  if (result === undefined) return `${response.statusCode}: ${text.slice(-300)}`;
  const { answer } = JSON.parse(result).fields;
  return answer.includes(`season ${season} `) ? undefined : `another answer: ${answer}`;
}

let season = first;
const questions = [];
await Promise.all(Array.from({ length: readers }, async (_, i) => {
  await wait((i * spreadMs) / readers);
  for (let round = 0; round < rounds; round++) questions.push(await ask(season++));
}));
agent.destroy();
console.log(JSON.stringify(questions));
