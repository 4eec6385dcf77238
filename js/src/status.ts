/** What a program is doing, in words for its user. */
import type { ProgramEvent, Span } from './events.js';

/**
 * Words for what happens in a program, as those of `dspy.streaming.StatusMessageProvider`. Unless told otherwise, calls of tools have
 * DSPy's words and the rest has none.
 */
export interface StatusMessages {
  toolStart?(name: string): string | undefined;
  toolEnd?(span: Span): string | undefined;
  moduleStart?(step: string): string | undefined;
  moduleEnd?(span: Span): string | undefined;
  lmStart?(model: string): string | undefined;
  lmEnd?(model: string): string | undefined;
}

/** DSPy's own. */
const WORDS: StatusMessages = {
  toolStart: (name) => `Calling tool ${name}...`,
  toolEnd: () => 'Tool calling finished! Querying the LLM with tool calling results...',
};

/**
 * The events of a program with a status message after each one that has words.
 *
 * ```ts
 * for await (const event of withStatus(program.stream(inputs), { moduleStart: (step) => `Working on ${step}...` })) {
 *   if (event.type === 'status') show(event.message);
 * }
 * ```
 */
export async function* withStatus<O>(events: AsyncIterable<ProgramEvent<O>>, messages: StatusMessages = {}): AsyncGenerator<ProgramEvent<O>, void, void> {
  const words = { ...WORDS, ...messages };
  for await (const event of events) {
    yield event;
    const message = wordsFor(event, words);
    if (message) yield { type: 'status', message };
  }
}

function wordsFor(event: ProgramEvent<unknown>, words: StatusMessages): string | undefined {
  switch (event.type) {
    case 'started':
      if (event.kind !== 'tool') return words.moduleStart?.(event.step);
      return isFinish(event.step) ? undefined : words.toolStart?.(event.step);
    case 'finished':
      if (event.span.kind !== 'tool') return words.moduleEnd?.(event.span);
      return isFinish(event.span.name) ? undefined : words.toolEnd?.(event.span);
    case 'stage':
      if (event.stage !== 'lm') return undefined;
      return event.progress === 'started' ? words.lmStart?.(event.name) : words.lmEnd?.(event.name);
    default:
      return undefined;
  }
}

/** With this one an agent ends: no tool to its user. */
function isFinish(name: string): boolean {
  return name === 'finish';
}
