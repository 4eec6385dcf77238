// A model on loopback that can be taught: over HTTP, as a serving endpoint of any name is asked.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** What it writes into every field that it has no answer for, and what it goes by when a prompt says so. */
export const ADVICE = 'Be right.';

/** Right about questions that are not `hard`, and about all of them once it is taught. */
const RIGHT = { answer: (prompt, isTaught) => (isTaught || !prompt.includes('hard') ? 'right' : 'wrong') };

/**
 * Starts it.
 *
 * @param answers by the names of fields: called with the prompt, and whether it shows a demo or gives the advice
 * @returns `url`; `asked`, the messages of every request; `pause`, a function to be set: what it returns is waited for before an answer is sent;
 *   `status`, to be set: what it answers with, 200 unless told otherwise
 */
export async function startModel(answers = RIGHT) {
  const model = { asked: [], pause: () => {}, status: 200 };
  const server = createServer(async (request, response) => {
    // A page of another origin asks too.
    for (const what of ['origin', 'headers']) response.setHeader(`access-control-allow-${what}`, '*');
    if (request.method === 'OPTIONS') return response.end();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { messages } = JSON.parse(Buffer.concat(chunks).toString());
    model.asked.push(messages);
    await model.pause();
    response.writeHead(model.status, { 'content-type': 'application/json' });
    if (model.status !== 200) return response.end(JSON.stringify({ error_code: 'SCRIPTED', message: 'as the test wants it' }));
    const message = { role: 'assistant', content: answerTo(messages, answers) };
    response.end(JSON.stringify({
      model: 'scripted', choices: [{ index: 0, message, finish_reason: 'stop' }], usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
    }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return Object.assign(model, { url: `http://127.0.0.1:${server.address().port}`, close });
}

function answerTo(messages, answers) {
  const prompt = messages.at(-1).content;
  const isTaught = messages.length > 2 || messages[0].content.includes(ADVICE);
  const wanted = [...prompt.matchAll(/`\[\[ ## (\w+) ## \]\]`/g)].map(([, name]) => name).filter((name) => name !== 'completed');
  return `${wanted.map((name) => `[[ ## ${name} ## ]]\n${answers[name]?.(prompt, isTaught) ?? ADVICE}\n\n`).join('')}[[ ## completed ## ]]`;
}
