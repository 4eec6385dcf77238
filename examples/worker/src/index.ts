// The enterprise knowledge assistant as a Cloudflare Worker: the page at `/`, the gateway at `/api`.
import { inspect } from 'lakelet';
import { createWorker } from 'lakelet/worker';

import { openAssistant } from './assistant';
import type { Env } from './env';
import { recognise } from './reader';

export default createWorker<Env>({
  programs: (env) => ({ enterprise_assistant: { program: openAssistant(env), userInputs: ['role', 'region', 'department'] } }),
  index: ({ LAKELET_COLUMNS: { id, text, title, document, heading }, LAKELET_QUERY_TYPE: queryType }) => ({
    idColumn: id,
    textColumn: text,
    columns: [title, document, heading],
    queryType,
  }),
  user: recognise,
  limits: { timeoutMs: 300_000 }, // four model calls, on whatever the model runs on
  inspect,
});
