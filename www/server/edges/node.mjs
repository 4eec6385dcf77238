// The edge in this process: the page, and the gateway that runs the assistant for it, as an HTTP server of Node.
import { inspect } from 'lakelet';
import { createGateway } from 'lakelet/gateway';
import { serve } from 'lakelet/gateway/node';

import { sentence } from '../audit.mjs';
import { readPage } from '../page-files.mjs';
import { servePage } from '../page.mjs';
import { believedReader } from '../reader.mjs';

/**
 * Starts what a browser calls: the page at `/`, the gateway at `/api`. Every file of this folder does that in its own way, and is the same to
 * the page; the variable `EDGE` names the one to use.
 *
 * @param config as `../config.mjs` gives it, with the workspace to call, `timeoutMs` for a call and the folder of the `page`
 * @param around the `assistant` as this process has opened it; `say` writes a line of the log; `onCall` wants to hear of every call, where that
 *   can be told: questions come before warming up
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} once it can be called; `close` resolves when all has ended
 */
export async function startEdge({ port, timeoutMs, page }, { assistant, say, onCall }) {
  const site = servePage(await readPage(page));
  const gateway = createGateway({
    programs: { enterprise_assistant: { program: assistant, userInputs: ['role', 'region', 'department'] } },
    inspect,
    limits: { timeoutMs },
    user: believedReader,
    audit: (line) => say(sentence(line)),
    report: (error, id) => say(`${id} failed: ${error.stack ?? error}`),
  });
  const handle = (request, connection) => {
    if (!new URL(request.url).pathname.startsWith('/api/')) return site(request);
    onCall();
    return gateway(request, connection);
  };
  return serve(handle, { port });
}
