import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { unavailable } from "../http/errors.js";
import { checkPython, interpreter, scriptPath, type PythonPart } from "./interpreter.js";

export interface ServiceOptions {
  part: PythonPart;
  /** What the script imports; without it the part answers 501. */
  modules: string[];
  /** The script in the folder `python`. It prints a line `ready` when it serves, and ends when its standard input does. */
  script: string;
  args: string[];
  /** The Unix socket that it serves on. */
  socket: string;
  environment?: Record<string, string>;
  /** Told of what it prints to standard error. */
  log: (line: string) => void;
  /** Called when it has ended for good. */
  onClose: () => void;
}

/**
 * A server in Python, on a Unix socket: started by the first request, kept, started again after it has died, and ended with
 * this process, however that ends.
 */
export class PythonService {
  readonly #options: ServiceOptions;
  #process: Promise<ChildProcess> | undefined;
  #closed = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Sends one request and returns the head of the answer, with its body to be read. Throws 501 or 503 where there is no server. */
  async send(
    method: string,
    path: string,
    headers: IncomingHttpHeaders,
    body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const child = await this.#started();
    const outgoing = request({ socketPath: this.#options.socket, agent: ONE_REQUEST, method, path, headers, signal });
    try {
      const answered = once(outgoing, "response", { signal }) as Promise<[IncomingMessage]>;
      // The server may answer before it has all of the body, and then take no more of it.
      const [response] = await Promise.race([answered, pipeline(Readable.from(body), outgoing).then(() => answered)]);
      return response;
    } catch (error) {
      outgoing.destroy();
      if (!isLost(error)) throw error;
      if (isRefused(error)) await this.#end(child, "SIGKILL");
      throw unavailable(`The ${this.#options.part} server of the workspace broke off: ${(error as Error).message}`, 1);
    }
  }

  #started(): Promise<ChildProcess> {
    if (this.#closed) throw unavailable("The workspace is closing.", 1);
    this.#process ??= this.#start().catch((error: unknown) => {
      this.#process = undefined;
      throw error;
    });
    return this.#process;
  }

  async #start(): Promise<ChildProcess> {
    const { part, modules, script, args, log, environment } = this.#options;
    await checkPython(part, modules);
    const child = spawn(interpreter(), [scriptPath(script), ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    const said: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      if (said.length > 20) said.shift();
      log(`${part}: ${line}`);
    });
    const exited = once(child, "exit").then(() => {
      this.#process = undefined;
      throw unavailable(`The ${part} server of the workspace did not start: ${said.join(" ")}`, 5);
    });
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line === "ready") resolve();
      });
    });
    await Promise.race([ready, exited]);
    exited.catch(() => {});
    return child;
  }

  /** Ends the server, when what it is doing is done. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = await this.#process?.catch(() => undefined);
    if (child) await this.#end(child);
    this.#options.onClose();
  }

  async #end(child: ChildProcess, signal?: "SIGKILL"): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    if (signal) child.kill(signal);
    else child.stdin?.end();
    await exited;
  }
}

/** A connection that is kept could be closed by the server just when it is used again. */
const ONE_REQUEST = new Agent({ keepAlive: false });

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? "";
const isRefused = (error: unknown) => ["ECONNREFUSED", "ENOENT"].includes(codeOf(error));
const isLost = (error: unknown) => isRefused(error) || ["ECONNRESET", "EPIPE"].includes(codeOf(error));
