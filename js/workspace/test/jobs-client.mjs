// What tests do with the jobs of a workspace.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

export const JOBS = "/api/2.2/jobs";
export const HOME = "/Users/local-user@example.com";
const ENDED = ["TERMINATED", "SKIPPED", "INTERNAL_ERROR"];

/** Calls of the jobs of a workspace. */
export function jobsOf({ call }) {
  const put = (name, source, fields = { language: "PYTHON" }) =>
    call("POST", "/api/2.0/workspace/import", { path: `${HOME}/${name}`, content: Buffer.from(source).toString("base64"), overwrite: true, ...fields });
  const file = (name, source) => put(name, source, { format: "RAW" });
  const submit = async (tasks, fields = {}) => {
    const { status, body } = await call("POST", `${JOBS}/runs/submit`, { run_name: "test", tasks, ...fields });
    assert.equal(status, 200, JSON.stringify(body));
    return body.run_id;
  };
  const get = async (run) => (await call("GET", `${JOBS}/runs/get?run_id=${run}`)).body;
  const until = async (run, reached) => {
    for (;;) {
      const seen = await get(run);
      if (reached(seen)) return seen;
      await sleep(20);
    }
  };
  const ended = (run) => until(run, ({ state }) => ENDED.includes(state.life_cycle_state));
  const output = async (task) => (await call("GET", `${JOBS}/runs/get-output?run_id=${task.run_id}`)).body;
  /** Runs tasks to their end, and returns the run with the output of each task by key. */
  const run = async (tasks, fields) => {
    const seen = await ended(await submit(tasks, fields));
    const outputs = await Promise.all(seen.tasks.map(async (task) => [task.task_key, await output(task)]));
    return { ...seen, results: Object.fromEntries(seen.tasks.map((task) => [task.task_key, task.state.result_state])), outputs: Object.fromEntries(outputs) };
  };
  return { call, put, file, submit, get, until, ended, output, run };
}
