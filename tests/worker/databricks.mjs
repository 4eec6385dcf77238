// A workspace whose endpoints answer as a test tells them to.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** What each step of the assistant answers, known by a field that only its prompt has. */
const REPLIES = [
  ['search_strategy', { reasoning: 'It asks for a number.', search_strategy: 'look up the rule', refined_query: 'parental leave, weeks' }],
  ['security_issues', { reasoning: 'It states a rule.', is_approved: 'True', security_issues: 'none' }],
  ['formatted_answer', { formatted_answer: 'Parents get 26 weeks of paid leave.' }],
  ['[[ ## answer ## ]]', { answer: 'Parents get 26 weeks of paid leave.' }],
];
const ROW = ['leave-1', 'Parents get 26 weeks of paid leave.', 'Parental leave', 'leave.md', 'How long', 0.9];
const COLUMNS = ['id', 'text', 'title', 'document', 'heading', 'score'];

/**
 * Starts it.
 *
 * @returns `url`; `received`, every request as `{path, authorization, body, gone}`, where `gone` resolves when the caller leaves early or has its
 *   answer; `model`, a function to be set: called with a request for the model, what it returns is waited for before the answer is sent, or, for
 *   one that streams, before what follows the first field; `refuse`, a function to be set: the status to refuse such a request with; `keys`, to
 *   be set: those of the sign-in
 */
export async function startDatabricks() {
  const received = [];
  const databricks = { received, model: () => {}, refuse: () => undefined };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const it = { path: request.url, authorization: request.headers.authorization, text, gone: once(response, 'close') };
    received.push(it);
    await answer(it, response, databricks);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return Object.assign(databricks, { url: `http://127.0.0.1:${server.address().port}`, close });
}

async function answer(it, response, databricks) {
  if (it.path === '/oidc/v1/token') return json(response, 200, { access_token: 'a-short-lived-token', expires_in: 3600 });
  if (it.path === '/cdn-cgi/access/certs') return json(response, 200, { keys: databricks.keys });
  if (it.path.startsWith('/api/2.0/vector-search/')) {
    return json(response, 200, { manifest: { column_count: 6, columns: COLUMNS.map((name) => ({ name })) }, result: { row_count: 1, data_array: [ROW] } });
  }
  const refused = databricks.refuse(it);
  if (refused) return json(response, refused, { error_code: 'SCRIPTED', message: 'as the test wants it' });
  const [, fields] = REPLIES.find(([mark]) => it.text.includes(mark));
  const content = `${Object.entries(fields).map(([name, value]) => `[[ ## ${name} ## ]]\n${value}\n\n`).join('')}[[ ## completed ## ]]`;
  if (!JSON.parse(it.text).stream) {
    await databricks.model(it);
    return json(response, 200, { model: 'scripted', choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }], usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } });
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (delta, finish_reason = null) => response.write(`data: ${JSON.stringify({ model: 'scripted', choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
  const words = content.match(/\s*\S+/g);
  const half = words.indexOf('\n\n[[') + 6; // the second field has begun, so the first one is known
  for (const word of words.slice(0, half)) send({ content: word });
  await databricks.model(it);
  for (const word of words.slice(half)) send({ content: word });
  send({}, 'stop');
  response.end('data: [DONE]\n\n');
}

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
