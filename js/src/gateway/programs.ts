/** Programs that run in the gateway: what there is, one answer, or the events as they come. */
import { objectMember, onlyMembers } from './admission.js';
import { GatewayError, invalid, unauthenticated } from './errors.js';
import { shown } from './span.js';
import type { GatewayOptions, GatewayReach, GatewayUser, RunEvent, ServedProgram } from './types.js';

type Programs = Readonly<Record<string, ServedProgram>>;

const MEMBERS = new Set(['inputs', 'user']);

/** What `GET /programs` answers. */
export function listPrograms(programs: Programs): object {
  const described = Object.entries(programs).map(([name, { program, userInputs = [] }]) => ({
    name,
    inputs: program.inputs.filter((input) => !userInputs.includes(input.name)),
    steps: program.steps,
  }));
  return { programs: described };
}

/** Finds a program by its exact name. */
export function findProgram(programs: Programs, name: string): ServedProgram {
  if (Object.hasOwn(programs, name)) return programs[name] as ServedProgram;
  throw new GatewayError(404, 'RESOURCE_DOES_NOT_EXIST', 'The gateway runs no program of this name.', 'GET /programs lists those that it runs.');
}

/** The inputs of a run: the page's, and those that only the gateway knows for whom they are. */
export function readInputs({ program, userInputs = [] }: ServedProgram, body: Readonly<Record<string, unknown>>, user: GatewayUser | undefined): Record<string, unknown> {
  onlyMembers(body, MEMBERS);
  const inputs = { ...objectMember(body, 'inputs') };
  const own = program.inputs.map(({ name }) => name).filter((name) => !userInputs.includes(name));
  const unknown = Object.keys(inputs).find((name) => !own.includes(name));
  if (unknown !== undefined) throw invalid(`The program takes no input \`${unknown.slice(0, 60)}\` from a page.`, `It takes ${own.join(', ')}.`);
  if (userInputs.length > 0 && !user) throw unauthenticated();
  for (const name of userInputs) inputs[name] = user?.[name];
  return inputs;
}

/** What one run needs beside its inputs. */
export interface Running {
  readonly signal: AbortSignal;
  readonly reach: GatewayReach | undefined;
  readonly tokens: Tokens;
  readonly inspect: GatewayOptions['inspect'];
}

/** The tokens of a call. */
export interface Tokens {
  prompt_tokens: number;
  completion_tokens: number;
}

/** Runs a program. Its result comes with the trace of its steps. */
export async function* run({ program }: ServedProgram, inputs: Record<string, unknown>, running: Running): AsyncGenerator<RunEvent> {
  try {
    for await (const event of program.stream(inputs, { ...running.reach, signal: running.signal })) {
      if (!isResult(event)) yield isFinished(event) ? { ...event, span: shown(event.span) } : event;
      else {
        const trace = record(event.fields, running);
        yield { ...event, ...(trace && { trace: trace.map(shown) }) };
        return;
      }
    }
  } catch (error) {
    countFailed(error, running);
    throw error;
  }
  throw new Error('the program ended without a result');
}

/** Counts what a run used that failed. */
function countFailed(error: unknown, running: Running): void {
  try {
    if (typeof error === 'object' && error !== null) record(error, running);
  } catch {
    // It failed before it began: there is no record of it, and the error is what has to be told.
  }
}

/** Counts the tokens of a run by its outcome, be it fields or an error, and gives the trace. */
function record(outcome: object, { inspect, tokens }: Running): readonly object[] | undefined {
  if (!inspect) return undefined;
  const { usage, trace } = inspect(outcome);
  tokens.prompt_tokens = usage.promptTokens;
  tokens.completion_tokens = usage.completionTokens;
  return trace;
}

type Result = RunEvent & { readonly type: 'result'; readonly fields: object };

function isFinished(event: RunEvent): event is RunEvent & { readonly span: object } {
  return event.type === 'finished' && typeof event['span'] === 'object' && event['span'] !== null;
}

function isResult(event: RunEvent): event is Result {
  return event.type === 'result';
}

/** The result as one answer. */
export async function collect(events: AsyncIterable<RunEvent>): Promise<object> {
  let answer = {};
  for await (const event of events) {
    if (!isResult(event)) continue;
    const { type, fields, ...others } = event;
    answer = { prediction: fields, ...others };
  }
  return answer;
}
