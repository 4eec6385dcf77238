// The assistant on the models and the index that the configuration names.
import { configure, init, pipeline, Workspace } from 'lakelet';
import { enterpriseAssistant } from 'lakelet/assistant';

/**
 * Loads the assistant, with the configuration's changes to its steps.
 *
 * @returns {Promise<import('lakelet/gateway').GatewayProgram>}
 * @throws LakeletError when the changes do not fit
 */
export async function openAssistant({ host, token, clientId, clientSecret, chatEndpoint, index, columns, queryType, overlay }) {
  await init();
  const workspace = new Workspace({ host, ...(token ? { token } : { clientId, clientSecret }) });
  const { id, text, title, document, heading } = columns;
  configure({
    workspace,
    lm: chatEndpoint,
    rm: workspace.index(index, { idColumn: id, textColumn: text, columns: [title, document, heading], queryType }),
  });
  const assistant = pipeline(enterpriseAssistant, overlay && { changes: overlay });
  assistant.namedPredictors(); // compiles it, so that a mistake in the overlay shows now
  return {
    inputs: assistant.inputs,
    steps: assistant.steps,
    async *stream(inputs, options) {
      for await (const event of assistant.stream(inputs, options)) {
        if (event.type === 'result') event.fields.sources?.forEach((source) => rename(source, columns));
        yield event;
      }
    },
  };
}

/** Gives a source the names that the page knows. */
function rename(source, columns) {
  for (const name of ['title', 'document', 'heading']) source[name] ??= source[columns[name]];
}

/**
 * Lets the model read what is the same in every question, so that the first answer does not wait for it. What comes of it does not matter: a
 * question that arrives meanwhile aborts the signal, and a failure will be told to whoever asks.
 *
 * @returns {Promise<boolean>} whether it came to its end
 */
export async function warmUp(assistant, signal) {
  const inputs = { question: 'What are these documents about?', role: 'employee', region: 'EU', department: 'engineering' };
  try {
    for await (const _ of assistant.stream(inputs, { signal }));
    return true;
  } catch {
    return false;
  }
}
