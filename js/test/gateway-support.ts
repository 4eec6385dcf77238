// A scripted program and a scripted workspace, and calls as a page makes them.
import { createGateway, type GatewayOptions, type GatewayProgram, type GatewayWorkspace, type RunEvent, type RunRecord, type RelayedRequest } from 'lakelet/gateway';

export const ORIGIN = 'https://app.example';

/** A program that tells these events. */
export function scripted(script: (inputs: Record<string, unknown>, signal: AbortSignal) => AsyncIterable<RunEvent>): GatewayProgram {
  return {
    inputs: [{ name: 'question', type: 'str' }, { name: 'role', type: "Literal['employee', 'hr']" }],
    steps: [{ name: 'generate_answer', kind: 'predict' }],
    stream: (inputs, { signal }) => script(inputs, signal),
  };
}

/** Answers with its inputs after one step. */
export const echo = scripted(async function* (inputs) {
  yield { type: 'started', id: 0, step: 'generate_answer', kind: 'predict', atMs: 0 };
  yield { type: 'finished', span: { name: 'generate_answer' } };
  yield { type: 'result', fields: { answer: inputs }, stoppedBy: null };
});

/** What every run of a scripted program leaves behind. */
export const inspect = (): RunRecord => ({ usage: { promptTokens: 7, completionTokens: 3 }, trace: [{ name: 'generate_answer' }] });

/** A workspace that remembers what it was asked. */
export function recorded(answer: (request: RelayedRequest) => Response | Promise<Response> = () => Response.json({})): GatewayWorkspace & { sent: RelayedRequest[] } {
  const sent: RelayedRequest[] = [];
  return {
    sent,
    async send(request) {
      sent.push(request);
      return answer(request);
    },
  };
}

/** Posts JSON to a gateway as a page of its own origin does. */
export function page(options: GatewayOptions) {
  const gateway = createGateway({ rateLimiter: { take: () => 0 }, inspect, ...options });
  return (path: string, body: unknown, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    gateway(new Request(ORIGIN + path, {
      method: 'POST',
      headers: { origin: ORIGIN, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...init,
    }));
}

/** The error that a page is told. */
export async function failure(response: Response | Promise<Response>): Promise<{ status: number; error_code: string; message: string; hint?: string; request_id: string }> {
  const answered = await response;
  return { status: answered.status, ...((await answered.json()) as { error_code: string; message: string; request_id: string }) };
}
