// A workspace whose endpoints do what their names say, in a process of its own: a component that waits blocks the thread of its
// host. Prints its port; GET /seen tells what came in, and how many answers were left early.
import { createServer } from 'node:http';

const seen = { bodies: [], most: 0, aborted: 0 };
let open = 0;

/** The one passage of every index. */
const PASSAGE = 'Bicycles stand in the yard behind the house.';
const found = { manifest: { columns: ['id', 'text', 'title', 'document', 'heading', 'score'].map((name) => ({ name })) }, result: { data_array: [['p1', PASSAGE, 'Bicycles', 'bicycles.md', 'Yard', 0.9]] } };

/** Every output field that the chat adapter's prompt lists, with a value of its type. */
const filled = (body) => {
  const [, outputs] = body.messages[0].content.split('Your output fields are:\n');
  const fields = [...outputs.split('\nAll interactions')[0].matchAll(/^\d+\. `(\w+)` \((\w+)/gm)];
  return [...fields.map(([, name, type]) => `[[ ## ${name} ## ]]\n${{ bool: 'True', float: '0.5' }[type] ?? PASSAGE}`), '[[ ## completed ## ]]\n'].join('\n\n');
};
const reply = (body) => `[[ ## answer ## ]]\n${body.messages.at(-1).content.match(/## question ## \]\]\n(.*)/)?.[1] ?? '?'}!\n\n[[ ## completed ## ]]`;
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const whole = (content) => ({ model: 'scripted-1', choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }], usage });
const json = (response, status, body, headers = {}) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const answer = (response, body, text) => (body.stream ? stream(response, text.match(/[^]{1,4}/g), 0) : json(response, 200, whole(text)));

async function stream(response, pieces, pause) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (chunk) => response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  for (const text of pieces) {
    send({ model: 'scripted-1', choices: [{ index: 0, delta: { content: text } }] });
    await sleep(pause);
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage });
  response.end('data: [DONE]\n\n');
}

const behaviours = {
  /** Answers with the question. */
  echo: (response, body) => answer(response, body, reply(body)),
  /** Fills every field. */
  filling: (response, body) => answer(response, body, filled(body)),
  /** Answers once three requests are there, which would never be if they came one by one. */
  together: (response, body) => {
    waiting.push(() => behaviours.echo(response, body));
    if (waiting.length === 3) waiting.splice(0).forEach((answer) => answer());
  },
  /** Begins to answer, and never ends. */
  endless: (response) => stream(response, ['[[ ## answer ## ]]\nOne', ' two', ...Array(1000).fill(' more')], 20),
  /** Does not even begin. */
  silent: () => {},
  refusing: (response) => json(response, 403, { error_code: 'PERMISSION_DENIED', message: 'not for you' }, { 'x-request-id': 'r-1' }),
  /** Fails at first. */
  flaky: (response, body) => (seen.bodies.length % 2 ? json(response, 503, { error_code: 'TEMPORARILY_UNAVAILABLE', message: 'later' }, { 'retry-after': '0' }) : behaviours.echo(response, body)),
  broken: (response, body) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"choices": [');
    setTimeout(() => response.destroy(), 10);
  },
};
const waiting = [];

/** Answers before it has read the request. */
const hasty = (response) => json(response, 413, { error_code: 'INVALID_PARAMETER_VALUE', message: 'too much' });

const server = createServer(async (request, response) => {
  if (request.url === '/seen') return json(response, 200, seen);
  if (request.url === '/reset') {
    Object.assign(seen, { bodies: [], most: 0, aborted: 0 });
    return json(response, 200, {});
  }
  seen.most = Math.max(seen.most, ++open);
  response.on('close', () => {
    open -= 1;
    if (!response.writableFinished) seen.aborted += 1;
  });
  if (request.url.includes('/hasty/')) return hasty(response);
  let text = '';
  for await (const piece of request) text += piece;
  seen.bodies.push(text);
  if (request.url.startsWith('/api/2.0/vector-search/')) return json(response, 200, found);
  const [, name] = /^\/serving-endpoints\/([a-z]+)\/invocations$/.exec(request.url) ?? [];
  if (name in behaviours) behaviours[name](response, JSON.parse(text));
  else json(response, 404, { error_code: 'ENDPOINT_NOT_FOUND', message: `no endpoint ${request.url}` });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
