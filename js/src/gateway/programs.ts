/** Programs that run in the gateway: what there is, one answer, or the events as they come. */
import { objectMember, onlyMembers } from './admission.js';
import { GatewayError, invalid, told, unauthenticated } from './errors.js';
import type { GatewayUser, RunEvent, ServedProgram } from './types.js';

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

/** The tokens of a run, as its finished steps tell them. */
export interface Tokens {
  prompt_tokens: number;
  completion_tokens: number;
}

/** Runs a program and counts its tokens on the way. */
export async function* run({ program }: ServedProgram, inputs: Record<string, unknown>, signal: AbortSignal, tokens: Tokens): AsyncGenerator<RunEvent> {
  for await (const event of program.stream(inputs, { signal })) {
    const { usage } = (event['span'] ?? {}) as { usage?: Partial<Tokens> };
    tokens.prompt_tokens += usage?.prompt_tokens ?? 0;
    tokens.completion_tokens += usage?.completion_tokens ?? 0;
    yield event;
    if (event.type === 'result') return;
  }
  throw told(new Error('the program ended without a result'));
}

/** The members of the result event, and the spans that were told on the way. */
export async function collect(events: AsyncIterable<RunEvent>): Promise<object> {
  const spans: unknown[] = [];
  let result = {};
  for await (const { type, ...members } of events) {
    if (members['span'] !== undefined) spans.push(members['span']);
    if (type === 'result') result = members;
  }
  return { ...result, spans };
}
