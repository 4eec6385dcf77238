// The demo: the page, and the gateway that runs the assistant for it. www/README.md says what can be configured.
import { inspect } from 'lakelet';
import { createGateway } from 'lakelet/gateway';
import { serve } from 'lakelet/gateway/node';
import { fileURLToPath } from 'node:url';

import { openAssistant, warmUp } from './assistant.mjs';
import { readConfig } from './config.mjs';
import { startLocal } from './local.mjs';
import { believedReader } from './reader.mjs';
import { openSite } from './site.mjs';

const started = performance.now();
const say = (line) => console.log(`${seconds(performance.now() - started).padStart(7)}  ${line}`);

/** A small model on two cores takes its time, and questions may queue. */
const TIMEOUT_MS = 300_000;

async function main() {
  const site = await openSite(fileURLToPath(new URL('../dist', import.meta.url)));
  let config = await readConfig();
  let workspace;
  if (!config.host) ({ workspace, config } = await startLocal(config, say));
  const assistant = await openAssistant(config);

  const warming = new AbortController();
  const gateway = createGateway({
    programs: { enterprise_assistant: { program: assistant, userInputs: ['role', 'region', 'department'] } },
    inspect,
    limits: { timeoutMs: TIMEOUT_MS },
    user: believedReader,
    audit: (line) => say(sentence(line)),
    report: (error, id) => say(`${id} failed: ${error.stack ?? error}`),
  });
  const handle = (request, connection) => {
    if (!new URL(request.url).pathname.startsWith('/api/')) return site(request);
    warming.abort();
    return gateway(request, connection);
  };
  const { url, close } = await serve(handle, { port: config.port });
  say('This demo believes the page about who asks: it shows authorisation, and has no authentication.');
  say(`Ready: ${url}`);

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      say(`${signal}: closing`);
      warming.abort();
      await close();
      await workspace?.close();
      process.exit(0);
    });
  }
  if (workspace) {
    const warm = await warmUp(assistant, warming.signal);
    if (warm) say('The model has read the prompts: the first answer will be as fast as the others');
  }
}

/** An audit line for people. */
function sentence({ request_id, user = 'nobody', route, status, error_code, ms, prompt_tokens = 0, completion_tokens = 0 }) {
  const end = error_code ? `${status} ${error_code}` : status;
  const tokens = prompt_tokens > 0 ? `, ${prompt_tokens} tokens in, ${completion_tokens} out` : '';
  return `${request_id} ${route} as ${user}: ${end} in ${seconds(ms)}${tokens}`;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

main().catch((error) => {
  console.error(`The demo cannot start: ${error.message}${error.hint ? `\n${error.hint}` : ''}`);
  process.exit(1);
});
