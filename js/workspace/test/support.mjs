import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startWorkspace } from "lakelet-workspace";

/** The Python that has what the parts in Python need: `.ci/setup test` makes it. */
process.env.LAKELET_PYTHON ??= join(process.env.LAKELET_CACHE || join(homedir(), ".cache", "lakelet"), "peers", "bin", "python");

/** A folder that is gone when the test is over. */
export function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), "lakelet-workspace-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A real workspace on a free port with the small model, and a client for it. */
export async function start(t, options = {}) {
  const data = options.data ?? temporaryFolder(t);
  const workspace = await startWorkspace({ port: 0, model: "smollm2", documents: false, contextSize: 1024, threads: 1, data, ...options });
  t.after(() => workspace.close());
  return { ...workspace, ...client(workspace) };
}

export function client({ url, token }) {
  const send = (method, path, body, init = {}) =>
    fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...init,
    });
  const call = async (method, path, body) => {
    const response = await send(method, path, body);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return { send, call };
}

/** The data of Server-Sent Events, the last one being "[DONE]". */
export async function events(response) {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => frame.replace(/^data: /, ""))
    .map((data) => (data === "[DONE]" ? data : JSON.parse(data)));
}

export const CHAT = "/serving-endpoints/chat/completions";
export const SEARCH = "/api/2.0/vector-search";
export const user = (content) => [{ role: "user", content }];

export const SQL = "/api/2.0/sql/statements";
export const CATALOG = "/api/2.1/unity-catalog";

/** Functions that run SQL on the warehouse of a workspace. */
export function sqlClient({ call }) {
  const execute = async (statement, fields = {}) => {
    let { status, body } = await call("POST", SQL, { statement, warehouse_id: "local", wait_timeout: "50s", ...fields });
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
    // An engine may take long to start on a busy machine.
    while (fields.wait_timeout === undefined && ["PENDING", "RUNNING"].includes(body.status.state)) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      ({ body } = await call("GET", `${SQL}/${body.statement_id}`));
    }
    return body;
  };
  /** The rows of a statement that must succeed. */
  const rows = async (statement, fields) => {
    const { status, result } = await execute(statement, fields);
    if (status.state !== "SUCCEEDED") throw new Error(`${status.state} ${status.error?.message}: ${statement}`);
    return result.data_array;
  };
  /** The status of a statement that must fail. */
  const failure = async (statement, fields) => {
    const { status } = await execute(statement, fields);
    if (status.state !== "FAILED") throw new Error(`${status.state}: ${statement}`);
    return status;
  };
  return { execute, rows, failure };
}

/** A workspace in a process of its own, to be killed. */
export async function killable(t, data, sql) {
  const script = fileURLToPath(new URL("server-process.mjs", import.meta.url));
  const process = spawn("node", [script, data, sql], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  t.after(() => process.kill("SIGKILL"));
  const [{ url, token }] = await once(process, "message");
  return { process, url, token };
}
