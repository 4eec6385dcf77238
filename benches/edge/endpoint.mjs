// A workspace whose models answer after a fixed time, and which fails as often as it is told to: what a load test needs of Databricks. It
// speaks the wire format of serving endpoints (whole and streamed), of Vector Search and of OAuth, and runs as a process of its own.
//
//   node benches/edge/endpoint.mjs '{"modelMs": 300, "searchMs": 50, "faults": ["429", "cut"], "rate": 0.1}'
//
// It prints its address as the first line. `POST /script` changes the script between runs and answers with what was counted in the last one.
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/** How a call can fail. The first answer with a status; `drop` ends the connection before the head, `cut` in the middle of the body. */
export const FAULTS = ['429', '429 retry-after', '503', 'drop', 'cut'];

/** A script that does nothing special; a streamed reply comes in so many `pieces`, spread evenly over the model's time. */
const IDLE = { modelMs: 0, searchMs: 0, tokenMs: 0, pieces: 6, faults: [], rate: 0, seed: 1 };

/** Starts it. @returns {Promise<{ url: string, script(next: object): object, close(): void }>} */
export async function startEndpoint(first = {}) {
  let script, chance, counted;
  const set = (next) => {
    const before = counted;
    script = { ...IDLE, ...next };
    chance = dice(script.seed);
    counted = { calls: 0, faults: {} };
    return before;
  };
  set(first);

  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.url === '/script') return json(response, 200, set(JSON.parse(body)));
    counted.calls++;
    let fault;
    if (chance() < script.rate) {
      fault = script.faults[Math.floor(chance() * script.faults.length)];
      counted.faults[fault] = (counted.faults[fault] ?? 0) + 1;
      if (fault !== 'cut') return fail(fault, response);
    }
    if (request.url === '/oidc/v1/token') {
      await wait(script.tokenMs);
      return json(response, 200, { access_token: 'scripted-token', token_type: 'Bearer', expires_in: 3600, scope: 'all-apis' }, fault);
    }
    if (request.headers.authorization !== 'Bearer scripted-token') return json(response, 401, { error_code: 'UNAUTHENTICATED', message: 'no token' });
    if (request.url.endsWith('/query')) {
      await wait(script.searchMs);
      return json(response, 200, found(JSON.parse(body)), fault);
    }
    const { messages, stream } = JSON.parse(body);
    const content = reply(messages);
    if (stream) return streamed(response, content, script, fault);
    await wait(script.modelMs);
    json(response, 200, completion({ message: { role: 'assistant', content }, finish_reason: 'stop' }, 'chat.completion'), fault);
  });
  // Clients keep connections; one that is closed just as it is used again would be a fault that nobody has asked for.
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1', 4096);
  await new Promise((resolve) => server.once('listening', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, script: set, close };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function fail(fault, response) {
  if (fault === 'drop') return response.socket.destroy();
  const [status, wait] = fault.split(' ');
  const error_code = status === '429' ? 'REQUEST_LIMIT_EXCEEDED' : 'TEMPORARILY_UNAVAILABLE';
  response.writeHead(Number(status), { 'content-type': 'application/json', ...(wait && { 'retry-after': '1' }) });
  response.end(JSON.stringify({ error_code, message: 'scripted' }));
}

/** A whole answer, or the first half of one. */
function json(response, status, value, fault) {
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  if (fault !== 'cut') return response.end(bytes);
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket.destroy());
}

async function streamed(response, content, { modelMs, pieces }, fault) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const size = Math.ceil(content.length / pieces);
  for (let i = 0; i < pieces; i++) {
    await wait(modelMs / pieces);
    response.write(frame({ delta: { content: content.slice(i * size, (i + 1) * size) }, finish_reason: null }));
    if (fault === 'cut' && i === pieces >> 1) return response.socket.destroy();
  }
  response.write(frame({ delta: {}, finish_reason: 'stop' }));
  response.end('data: [DONE]\n\n');
}

const frame = (choice) => `data: ${JSON.stringify(completion(choice, 'chat.completion.chunk'))}\n\n`;

function completion(choice, object) {
  const usage = choice.finish_reason && { prompt_tokens: 400, completion_tokens: 60, total_tokens: 460 };
  return { id: 'scripted', object, created: 0, model: 'scripted', choices: [{ index: 0, ...choice }], ...(usage && { usage }) };
}

const answer = (number) => `Crews of season ${number} may move up to five unused rest days to the next season.`;

/** What the model says: the fields that the prompt asks for, about the season that it names. */
function reply(messages) {
  const prompt = messages.map(({ content }) => content).join('\n');
  const season = /season (\d+)/.exec(messages.at(-1).content)?.[1];
  const fields = {
    search_strategy: { reasoning: 'The question is about rest days.', search_strategy: 'Look for rules on rest days.', refined_query: `unused rest days season ${season}` },
    is_approved: { reasoning: 'Nothing in the answer is confidential.', is_approved: 'True', security_issues: 'None' },
    formatted_answer: { formatted_answer: answer(season) },
  };
  const asked = Object.keys(fields).find((name) => prompt.includes(`[[ ## ${name} ## ]]`));
  const said = Object.entries(fields[asked] ?? { answer: answer(season) });
  return `${said.map(([name, value]) => `[[ ## ${name} ## ]]\n${value}\n\n`).join('')}[[ ## completed ## ]]`;
}

function found({ columns, num_results, query_text }) {
  const season = /season (\d+)/.exec(query_text)?.[1];
  const cells = (i) => ({ id: `doc-${i}`, text: i === 0 ? answer(season) : `Passage ${i}: the harbour office keeps a list of boats and lockers.` });
  const rows = Array.from({ length: num_results }, (_, i) => [...columns.map((column) => cells(i)[column] ?? `${column} ${i}`), 0.9 - i / 10]);
  const names = [...columns, 'score'].map((name) => ({ name }));
  return { manifest: { column_count: names.length, columns: names }, result: { row_count: rows.length, data_array: rows }, next_page_token: '' };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log((await startEndpoint(JSON.parse(process.argv[2] ?? '{}'))).url);
