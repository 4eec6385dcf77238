/** What a gateway is made of: the programs it runs, the workspace it speaks to, and who may call. */

/** News of a run, as far as the caller may know it: `ProgramEvent` of `lakelet`. */
export type RunEvent =
  | { readonly type: 'result'; readonly fields: object; readonly stoppedBy: string | null }
  | { readonly type: string; readonly [member: string]: unknown };

/** What a run left behind: `Inspection` of `lakelet`. */
export interface RunRecord {
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number };
  /** The steps, as far as the caller may know them. */
  readonly trace: readonly object[];
}

/** What a gateway needs of a program; `pipeline()` of `lakelet` gives one. */
export interface GatewayProgram {
  /** What the program takes. */
  readonly inputs: readonly ProgramInput[];
  /** Its steps, in the order of the document. */
  readonly steps: readonly ProgramStep[];
  /**
   * Runs the program and tells what happens. The last event is the `result`; a failure is thrown. The gateway passes on
   * every event, with failures in general words, so what else the caller must not see must not be told.
   *
   * @param options the signal, and what {@link GatewayOptions.reach} gave
   */
  stream(inputs: Record<string, unknown>, options: { readonly signal: AbortSignal }): AsyncIterable<RunEvent>;
}

/** What the calls of one request may reach: a workspace, with other settings for programs (`lm`, `rm` ...). */
export interface GatewayReach {
  readonly workspace: GatewayWorkspace;
  readonly [setting: string]: unknown;
}

/** An input of a program. */
export interface ProgramInput {
  readonly name: string;
  /** DSPy's notation: `str`, `list[str]`, `Literal['EU', 'US']`. */
  readonly type: string;
  readonly description?: string;
  readonly required?: boolean;
}

/** A step of a program. */
export interface ProgramStep {
  readonly name: string;
  /** `predict`, `chain_of_thought`, `retrieve`, `guard` ... */
  readonly kind: string;
}

/** A program that the gateway serves. */
export interface ServedProgram {
  readonly program: GatewayProgram;
  /**
   * Inputs that come from the member of the same name of the {@link GatewayUser}, never from the page. A program with such inputs runs for users only.
   */
  readonly userInputs?: readonly string[];
}

/** A call of a workspace's service: a POST of JSON. */
export interface RelayedRequest {
  /** Path below the workspace's host. */
  readonly path: string;
  /** JSON text. */
  readonly body: string;
  /** `application/json`, or `text/event-stream` for a reply that streams. */
  readonly accept: string;
  readonly signal: AbortSignal;
}

/** What a gateway needs of a workspace; `Workspace` of `lakelet` is one. It attaches the credential and retries. */
export interface GatewayWorkspace {
  /** Resolves with the answer whatever its status. */
  send(request: RelayedRequest): Promise<Response>;
}

/** Who calls, as the `user` hook found out. */
export interface GatewayUser {
  /** Stands in the audit line. */
  readonly id: string;
  readonly [attribute: string]: unknown;
}

/** Filters of a Vector Search query: `{ audience: ['all', 'managers'], 'year >=': 2024 }`. */
export type Filters = Readonly<Record<string, unknown>>;

/** Who may see what of an index: everyone everything, or each user what these filters let through. */
export type IndexPolicy = 'public' | ((user: GatewayUser) => Filters);

/** What pages may call through the gateway. Names match exactly. */
export interface Relay {
  /** Serving endpoints. */
  readonly endpoints?: readonly string[];
  /** Vector Search indexes by full name, with who may see what. */
  readonly indexes?: Readonly<Record<string, IndexPolicy>>;
}

/** Bounds on what one caller may use. */
export interface Limits {
  /** Size of a request's body in bytes. Default 256 KiB. */
  readonly bodyBytes?: number;
  /** Milliseconds until a request's body has to be there. Default 15 000. */
  readonly bodyMs?: number;
  /** Tokens that a relayed call may have a model write, all completions together. Default what the endpoint allows. */
  readonly completionTokens?: number;
  /** Milliseconds until a call is given up. Default 120 000. */
  readonly timeoutMs?: number;
  /** Milliseconds between signs of life on a silent event stream. Default 15 000. */
  readonly heartbeatMs?: number;
}

/** Decides whether a client may call now. */
export interface RateLimiter {
  /** Counts a call: 0 lets it through, any other number is the seconds to wait. */
  take(client: string): number | Promise<number>;
}

/** What the host knows of a connection and the request does not say. */
export interface Connection {
  /** Network address of the client. */
  readonly address?: string;
}

/** One line of the audit: who called what, and how it ended. It holds no contents and no secrets. */
export interface AuditLine {
  /** When the call came in, ISO 8601. */
  readonly time: string;
  readonly request_id: string;
  /** The user's id; absent when nobody was recognised. */
  readonly user?: string;
  /** `POST /programs/enterprise_assistant`; the path is left out where it leads nowhere. */
  readonly route: string;
  readonly status: number;
  /** Why a call failed, also after its status was sent. */
  readonly error_code?: string;
  readonly ms: number;
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
}

/** Everything that makes a gateway. */
export interface GatewayOptions {
  /** Path that all routes stand under. Default `/api`. */
  readonly basePath?: string;
  /** Programs by the name that pages call them. */
  readonly programs?: Readonly<Record<string, ServedProgram>>;
  /** `inspect` of `lakelet`. With it answers carry the trace of their steps, and the audit counts tokens. */
  readonly inspect?: (outcome: object) => RunRecord;
  /** Where relayed calls go. */
  readonly workspace?: GatewayWorkspace;
  /** What one request may reach instead, for calls in the name of who asks: `onBehalfOf` of `configureDatabricks`. Programs get it as settings. */
  readonly reach?: (request: Request) => GatewayReach | Promise<GatewayReach>;
  readonly relay?: Relay;
  /**
   * Names that the gateway goes by, without port; to others it answers 421. A page of another site can have its own name lead here, and would
   * pass for the same origin: name them wherever the host does not check them, as `serve` and Cloudflare do.
   */
  readonly names?: readonly string[];
  /** Origins whose pages may call, beside the gateway's own: `https://portal.example`. */
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Limits;
  /** Default {@link tokenBucket} with its defaults. */
  readonly rateLimiter?: RateLimiter;
  /** What the rate limiter tells clients apart by. Default their network: the address, or the first half of an IPv6 one. */
  readonly client?: (request: Request, connection: Connection) => string;
  /**
   * Recognises who calls: by a header of the sign-in in front, a cookie, a token. `body` is the parsed request body. Nobody recognised
   * is refused with 401; throw a {@link GatewayError} to say more. Without this hook, what needs a user is refused.
   */
  readonly user?: (request: Request, body: Readonly<Record<string, unknown>>) => GatewayUser | undefined | Promise<GatewayUser | undefined>;
  /** Told of every call when it has ended. */
  readonly audit?: (line: AuditLine) => void;
  /** Told of failures in full, for the operator's log; pages are told a general sentence and the request id. */
  readonly report?: (error: unknown, requestId: string) => void;
}

/** Answers a request of a page. */
export type GatewayHandler = (request: Request, connection?: Connection) => Promise<Response>;
