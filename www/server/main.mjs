// The demo: the page, and the gateway that runs the assistant for it. www/README.md says what can be configured.
import { fileURLToPath } from 'node:url';

import { openAssistant, warmUp } from './assistant.mjs';
import { seconds } from './audit.mjs';
import { readConfig } from './config.mjs';
import { startLocal } from './local.mjs';

const started = performance.now();
const say = (line) => console.log(`${seconds(performance.now() - started).padStart(7)}  ${line}`);

/** A small model on two cores takes its time, and questions may queue. */
const TIMEOUT_MS = 300_000;
const PAGE = fileURLToPath(new URL('../dist', import.meta.url));

async function main() {
  let config = await readConfig();
  const { startEdge } = await import(`./edges/${config.edge}.mjs`);
  let workspace;
  if (!config.host) ({ workspace, config } = await startLocal(config, say));
  const assistant = await openAssistant(config);

  const warming = new AbortController();
  const { url, close } = await startEdge({ ...config, timeoutMs: TIMEOUT_MS, page: PAGE }, { assistant, say, onCall: () => warming.abort() });
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

main().catch((error) => {
  console.error(`The demo cannot start: ${error.message}${error.hint ? `\n${error.hint}` : ''}`);
  process.exit(1);
});
