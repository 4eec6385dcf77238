// The assistant on the model and the index that the environment names.
import { pipeline } from 'lakelet';
import { enterpriseAssistant } from 'lakelet/assistant';
import type { WorkerProgram } from 'lakelet/worker';

import type { Env } from './env';

/** The assistant, whose sources have the names that the page knows whatever the index calls them. */
export function openAssistant({ LAKELET_COLUMNS: columns, LAKELET_OVERLAY: changes }: Env): WorkerProgram {
  const assistant = pipeline(enterpriseAssistant, { ...(changes && { changes }) });
  return {
    inputs: assistant.inputs,
    steps: assistant.steps,
    async *stream(inputs, options) {
      for await (const event of assistant.stream(inputs, options)) {
        if (event.type === 'result') (event.fields['sources'] as Source[] | undefined)?.forEach((source) => rename(source, columns));
        yield event;
      }
    },
  };
}

type Source = Record<string, unknown>;

function rename(source: Source, columns: Env['LAKELET_COLUMNS']): void {
  for (const name of ['title', 'document', 'heading'] as const) source[name] ??= source[columns[name]];
}
