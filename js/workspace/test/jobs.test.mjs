import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { HOME, JOBS, jobsOf } from "./jobs-client.mjs";
import { client, start, temporaryFolder } from "./support.mjs";

const notebook = (task_key, path, more = {}) => ({ task_key, notebook_task: { notebook_path: path.startsWith("/") ? path : `${HOME}/${path}`, ...more.work }, ...more });
const python = (task_key, file, parameters = [], more = {}) => ({ task_key, spark_python_task: { python_file: `/Workspace${HOME}/${file}`, parameters }, ...more });
const after = (...keys) => ({ depends_on: keys.map((key) => (typeof key === "string" ? { task_key: key } : key)) });

/** The ids that a process has written to a file. */
async function started(path) {
  while (!existsSync(path) || readFileSync(path, "utf8") === "") await sleep(20);
  return readFileSync(path, "utf8").split(" ");
}

/** Waits until processes have ended. In a container nobody may take notice of that, so that they stay as zombies. */
async function allGone(pids) {
  const gone = (pid) => !existsSync(`/proc/${pid}/stat`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  while (!pids.every(gone)) await sleep(20);
}

test("runs of notebooks and Python files", async (t) => {
  const data = temporaryFolder(t);
  mkdirSync(join(data, "volumes/main/rag/raw"), { recursive: true });
  const workspace = await start(t, { data });
  const { put, file, run, call, submit, ended } = jobsOf(workspace);

  await t.test("a notebook gets its parameters, and what it exits with is its result", async () => {
    await put("helper", "def double(x):\n    return 2 * x\n");
    await file("module.py", "NAME = 'module'\n");
    await put("n", [
      "# MAGIC %md # A title", "# MAGIC %run ./helper",
      "import module\ndbutils.widgets.text('table', 'none')\ndbutils.widgets.text('more', 'default')\nprint('hello')",
      "dbutils.notebook.exit(f\"{double(21)} {module.NAME} {dbutils.widgets.get('table')} {dbutils.widgets.get('more')}\")",
      "raise Exception('never reached')",
    ].join("\n\n# COMMAND ----------\n\n"));
    const seen = await run([notebook("main", "n", { work: { base_parameters: { table: "main.rag.diag" }, source: "WORKSPACE" } })]);
    assert.equal(seen.state.life_cycle_state, "TERMINATED");
    assert.equal(seen.state.result_state, "SUCCESS");
    assert.deepEqual(seen.status, { state: "TERMINATED", termination_details: { code: "SUCCESS", type: "SUCCESS", message: "" } });
    assert.equal(seen.run_type, "SUBMIT_RUN");
    assert.ok(seen.end_time >= seen.start_time);
    assert.notEqual(seen.tasks[0].run_id, seen.run_id);
    assert.deepEqual(seen.outputs.main.notebook_output, { result: "42 module main.rag.diag default", truncated: false });
    assert.equal(seen.outputs.main.logs, "hello\n");
    assert.equal(seen.outputs.main.metadata.task_key, "main");
  });

  await t.test("a failure tells the error and the trace of the user's code", async () => {
    await put("broken", "def f():\n    return 1 / 0\n\n# COMMAND ----------\n\nf()\n");
    const seen = await run([notebook("main", "broken")]);
    assert.deepEqual([seen.state.life_cycle_state, seen.state.result_state], ["INTERNAL_ERROR", "FAILED"]);
    assert.match(seen.state.state_message, /^Task main failed with message: Workload failed, see run output for details\.$/);
    assert.equal(seen.tasks[0].state.life_cycle_state, "TERMINATED");
    assert.equal(seen.tasks[0].status.termination_details.code, "RUN_EXECUTION_ERROR");
    assert.equal(seen.outputs.main.error, "ZeroDivisionError: division by zero");
    assert.match(seen.outputs.main.error_trace, /^Traceback.*\n  File "<cell 2>", line 1.*\n    f\(\)\n  File "<cell 1>"/s);
    assert.doesNotMatch(seen.outputs.main.error_trace, /lakelet_task/);
  });

  await t.test("a file gets its arguments, the workspace's paths and its credential", async () => {
    await file("job.py", [
      "import json, os, sys, pathlib, urllib.request",
      "out = pathlib.Path('/Volumes/main/rag/raw/out')",
      "out.mkdir(exist_ok=True)",
      "with open(out / 'args.json', 'w') as f: json.dump(sys.argv[1:], f)",
      "print(sorted(os.listdir('/Volumes/main/rag/raw/out')), __name__, os.getcwd() == os.path.dirname(os.path.abspath(__file__)))",
      "request = urllib.request.Request(os.environ['DATABRICKS_HOST'] + '/api/2.0/preview/scim/v2/Me', headers={'Authorization': 'Bearer ' + os.environ['DATABRICKS_TOKEN']})",
      "print(json.load(urllib.request.urlopen(request))['userName'], file=sys.stderr)",
    ].join("\n"));
    const { outputs } = await run([python("main", "job.py", ["--n", "{{job.run_id}}"])]);
    assert.equal(outputs.main.logs, "['args.json'] __main__ True\nlocal-user@example.com\n");
    assert.match(readFileSync(join(data, "volumes/main/rag/raw/out/args.json"), "utf8"), /^\["--n", "\d+"\]$/);
  });

  await t.test("tasks wait for each other, and hand on values", async () => {
    await put("first", "dbutils.jobs.taskValues.set('rows', 3)\ndbutils.jobs.taskValues.set('name', 'x')");
    await put("second", "dbutils.notebook.exit(dbutils.widgets.get('n') + str(dbutils.jobs.taskValues.get('first', 'rows')))");
    const seen = await run([
      notebook("second", "second", { ...after("first", { task_key: "check", outcome: "true" }), work: { base_parameters: { n: "{{tasks.first.values.name}}" } } }),
      notebook("first", "first"),
      { task_key: "check", condition_task: { op: "GREATER_THAN", left: "{{tasks.first.values.rows}}", right: "2" }, ...after("first") },
      notebook("other", "broken", after({ task_key: "check", outcome: "false" })),
    ]);
    assert.equal(seen.state.result_state, "SUCCESS");
    assert.deepEqual(seen.results, { first: "SUCCESS", check: "SUCCESS", second: "SUCCESS", other: "EXCLUDED" });
    assert.equal(seen.outputs.second.notebook_output.result, "x3");
    assert.equal(seen.tasks.find(({ task_key }) => task_key === "check").condition_task.outcome, "true");
  });

  await t.test("what follows a failure is skipped, unless it is there for failures", async () => {
    const seen = await run([
      notebook("bad", "broken"),
      notebook("skipped", "first", after("bad")),
      notebook("cleanup", "first", { ...after("bad"), run_if: "AT_LEAST_ONE_FAILED" }),
      notebook("always", "first", { ...after("skipped", "cleanup"), run_if: "ALL_DONE" }),
    ]);
    assert.deepEqual(seen.results, { bad: "FAILED", skipped: "UPSTREAM_FAILED", cleanup: "SUCCESS", always: "SUCCESS" });
    assert.equal(seen.state.result_state, "SUCCESS_WITH_FAILURES");
  });

  await t.test("a notebook runs another, and a task is tried again", async () => {
    await put("caller", "dbutils.notebook.exit(dbutils.notebook.run('" + HOME + "/second', 60, {'n': 'called'}))");
    await put("second", "dbutils.notebook.exit(dbutils.widgets.get('n'))");
    await put("flaky", "import os\npath = '/Volumes/main/rag/raw/tried'\nif not os.path.exists(path):\n    open(path, 'w').close()\n    raise RuntimeError('first try')\ndbutils.notebook.exit('second try')");
    const seen = await run([notebook("a", "caller"), notebook("b", "flaky", { max_retries: 1 })]);
    assert.deepEqual(seen.results, { a: "SUCCESS", b: "SUCCESS" });
    assert.equal(seen.outputs.a.notebook_output.result, "called");
    assert.equal(seen.outputs.b.notebook_output.result, "second try");
    assert.equal(seen.tasks.find(({ task_key }) => task_key === "b").attempt_number, 1);
  });

  await t.test("what the task needs and Python lacks is named", async () => {
    const environments = [{ environment_key: "default", spec: { environment_version: "4", dependencies: ["no-such-package==1"] } }];
    const { outputs } = await run([python("main", "job.py", [], { environment_key: "default" })], { environments });
    assert.match(outputs.main.error, /MissingPackages.*pip install 'no-such-package==1'/);
  });

  await t.test("a program that is not there, that exits badly or dies says so", async () => {
    await file("exit.py", "import sys; sys.exit(3)");
    await file("die.py", "import os; print('last words', flush=True); os._exit(9)");
    await put("scala", "println(1)", { language: "SCALA" });
    const seen = await run([python("none", "nope.py"), python("exit", "exit.py"), python("die", "die.py"), notebook("scala", "scala")]);
    assert.match(seen.outputs.none.error, /nope\.py/);
    assert.match(seen.outputs.exit.error, /SystemExit: 3/);
    assert.match(seen.outputs.die.error, /exit code 9/);
    assert.equal(seen.outputs.die.logs, "last words\n");
    assert.match(seen.outputs.scala.error, /SCALA/);
  });

  await t.test("the same idempotency token is the same run", async () => {
    const first = await submit([notebook("main", "first")], { idempotency_token: "tok-1" });
    assert.equal(await submit([notebook("main", "first")], { idempotency_token: "tok-1" }), first);
    await ended(first);
  });

  await t.test("bad requests name the task and the field", async () => {
    const cases = [
      [{ tasks: [{ task_key: "a", notebook_task: {} }] }, 400, /Task 'a': 'notebook_path'/],
      [{ tasks: [{ task_key: "a" }] }, 400, /none is given/],
      [{ tasks: [] }, 400, /no tasks/],
      [{ tasks: [notebook("a", "n"), notebook("a", "n")] }, 400, /unique/],
      [{ tasks: [notebook("a", "n", after("b"))] }, 400, /'b', which is no task/],
      [{ tasks: [notebook("a", "n", after("b")), notebook("b", "n", after("a"))] }, 400, /circle/],
      [{ tasks: [{ task_key: "a", dbt_task: { commands: [] } }] }, 501, /dbt_task is not part of the local workspace/],
      [{ tasks: [notebook("a", "n", { run_if: "NEVER" })] }, 400, /run_if/],
    ];
    for (const [body, status, message] of cases) {
      const reply = await call("POST", `${JOBS}/runs/submit`, body);
      assert.equal(reply.status, status, JSON.stringify(reply.body));
      assert.match(reply.body.message, message);
    }
    for (const path of ["runs/get?run_id=1", "runs/get-output?run_id=1", "get?job_id=1"]) {
      const reply = await call("GET", `${JOBS}/${path}`);
      assert.equal(reply.status, 400);
      assert.equal(reply.body.error_code, "INVALID_PARAMETER_VALUE");
      assert.match(reply.body.message, /(Run|Job) 1 does not exist/);
    }
    const parent = await submit([notebook("a", "first")]);
    assert.match((await call("GET", `${JOBS}/runs/get-output?run_id=${parent}`)).body.message, /each individual task run/);
    await ended(parent);
  });
});

test("runs are cut short by a cancel or a timeout, with all that they started", async (t) => {
  const workspace = await start(t);
  const { file, submit, until, ended, output, call } = jobsOf(workspace);
  const folder = temporaryFolder(t);
  // Writes the ids of itself and of a process that it starts, and would run for an hour.
  await file("long.py", `import os, subprocess, sys, time\nchild = subprocess.Popen(['sleep', '3600'])\nopen(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid}')\ntime.sleep(3600)`);

  await t.test("cancel", async () => {
    const path = join(folder, "canceled");
    const run = await submit([python("a", "long.py", [path]), python("b", "long.py", [], after("a"))]);
    const pids = await started(path);
    assert.equal((await until(run, () => true)).state.life_cycle_state, "RUNNING");
    assert.equal((await call("POST", `${JOBS}/runs/delete`, { run_id: run })).status, 400);
    await call("POST", `${JOBS}/runs/cancel`, { run_id: run });
    const seen = await ended(run);
    assert.deepEqual([seen.state.life_cycle_state, seen.state.result_state, seen.state.user_cancelled_or_timedout], ["TERMINATED", "CANCELED", true]);
    assert.deepEqual(seen.tasks.map(({ state }) => state.result_state), ["CANCELED", "CANCELED"]);
    await allGone(pids);
    await call("POST", `${JOBS}/runs/delete`, { run_id: run });
    assert.match((await call("GET", `${JOBS}/runs/get?run_id=${run}`)).body.message, /does not exist/);
  });

  await t.test("timeout", async () => {
    const path = join(folder, "late");
    const run = await submit([python("a", "long.py", [path], { timeout_seconds: 1 })]);
    const seen = await ended(run);
    assert.equal(seen.tasks[0].state.result_state, "TIMEDOUT");
    assert.equal(seen.state.result_state, "FAILED");
    assert.match(seen.state.state_message, /timed out after 1 s/);
    assert.equal((await output(seen.tasks[0])).notebook_output, undefined);
    if (existsSync(path)) await allGone(readFileSync(path, "utf8").split(" "));
  });
});

test("jobs are stored, changed, run and deleted", async (t) => {
  const { call, put, ended } = jobsOf(await start(t));
  await put("n", "dbutils.notebook.exit(dbutils.widgets.get('p'))");
  const create = async (settings) => (await call("POST", `${JOBS}/create`, settings)).body.job_id;
  const job = await create({ name: "nightly", tasks: [notebook("t", "n")], parameters: [{ name: "p", default: "1" }], tags: { a: "b" } });

  await t.test("get, list and update", async () => {
    const { body } = await call("GET", `${JOBS}/get?job_id=${job}`);
    assert.equal(body.settings.name, "nightly");
    assert.equal(body.settings.tasks[0].task_key, "t");
    for (let i = 0; i < 3; i++) await create({ name: `job ${i}`, tasks: [] });
    const first = (await call("GET", `${JOBS}/list?limit=3`)).body;
    assert.equal(first.has_more, true);
    const second = (await call("GET", `${JOBS}/list?limit=3&page_token=${first.next_page_token}`)).body;
    assert.deepEqual(second.jobs.map(({ settings }) => settings.name), ["nightly"]);
    assert.equal(second.jobs[0].settings.tasks, undefined);
    assert.equal((await call("GET", `${JOBS}/list?name=NIGHTLY&expand_tasks=true`)).body.jobs[0].settings.tasks.length, 1);
    await call("POST", `${JOBS}/update`, { job_id: job, new_settings: { name: "daily", tasks: [notebook("u", "n")] }, fields_to_remove: ["tags", "tasks/t"] });
    const { settings } = (await call("GET", `${JOBS}/get?job_id=${job}`)).body;
    assert.deepEqual([settings.name, settings.tags, settings.tasks.map(({ task_key }) => task_key)], ["daily", undefined, ["u"]]);
    const wrong = await call("POST", `${JOBS}/reset`, { job_id: job, new_settings: { tasks: [{ task_key: "x" }] } });
    assert.equal(wrong.status, 400);
  });

  await t.test("run-now gives values to the job's parameters", async () => {
    const { body } = await call("POST", `${JOBS}/run-now`, { job_id: job, job_parameters: { p: "2" } });
    assert.equal(body.number_in_job, 1);
    const seen = await ended(body.run_id);
    assert.equal(seen.run_type, "JOB_RUN");
    assert.deepEqual(seen.job_parameters, [{ name: "p", value: "2", default: "1" }]);
    const output = (await call("GET", `${JOBS}/runs/get-output?run_id=${seen.tasks[0].run_id}`)).body;
    assert.equal(output.notebook_output.result, "2");
    const { runs } = (await call("GET", `${JOBS}/runs/list?job_id=${job}&completed_only=true&limit=5`)).body;
    assert.deepEqual(runs.map(({ run_id }) => run_id), [body.run_id]);
  });

  await t.test("a job runs a job, and ends as it ends", async () => {
    const outer = await create({ name: "outer", tasks: [{ task_key: "inner", run_job_task: { job_id: job, job_parameters: { p: "3" } } }] });
    const seen = await ended((await call("POST", `${JOBS}/run-now`, { job_id: outer })).body.run_id);
    assert.equal(seen.state.result_state, "SUCCESS");
    const { run_job_output } = (await call("GET", `${JOBS}/runs/get-output?run_id=${seen.tasks[0].run_id}`)).body;
    const inner = (await call("GET", `${JOBS}/runs/get?run_id=${run_job_output.run_id}`)).body;
    assert.equal(inner.job_id, job);
  });

  await t.test("more runs than a job may have wait in its queue, or are skipped", async () => {
    await put("wait", "import os, time\nwhile not os.path.exists(dbutils.widgets.get('go')):\n    time.sleep(0.02)");
    const folder = temporaryFolder(t);
    const go = join(folder, "go");
    const tasks = [notebook("t", "wait", { work: { base_parameters: { go } } })];
    const now = async (job) => (await call("POST", `${JOBS}/run-now`, { job_id: job })).body.run_id;
    const plain = await create({ name: "plain", tasks });
    const queued = await create({ name: "queued", tasks, queue: { enabled: true } });
    const runs = [await now(plain), await now(plain), await now(queued), await now(queued)];
    const states = await Promise.all(runs.map(async (run) => (await call("GET", `${JOBS}/runs/get?run_id=${run}`)).body.state));
    assert.deepEqual(states.map(({ life_cycle_state }) => life_cycle_state), ["RUNNING", "SKIPPED", "RUNNING", "QUEUED"]);
    assert.equal(states[1].result_state, "MAXIMUM_CONCURRENT_RUNS_REACHED");
    mkdirSync(go);
    for (const run of [runs[0], runs[2], runs[3]]) assert.equal((await ended(run)).state.result_state, "SUCCESS");
  });

  await t.test("a job runs at the times of its schedule, until that is paused", async () => {
    await put("ticks", "print('tick')");
    const schedule = { quartz_cron_expression: "0/1 * * * * ?", timezone_id: "UTC" };
    const id = await create({ name: "clock", tasks: [notebook("t", "ticks")], schedule, max_concurrent_runs: 100 });
    const runs = async () => (await call("GET", `${JOBS}/runs/list?job_id=${id}`)).body.runs ?? [];
    while ((await runs()).length < 2) await sleep(50);
    await call("POST", `${JOBS}/update`, { job_id: id, new_settings: { schedule: { ...schedule, pause_status: "PAUSED" } } });
    const seen = await runs();
    assert.equal(seen[0].trigger, "PERIODIC");
    await Promise.all(seen.map(({ run_id }) => ended(run_id)));
    const wrong = [
      [{ schedule: { quartz_cron_expression: "0 0 3", timezone_id: "UTC" } }, 400, /'schedule' cannot be read/],
      [{ schedule: { quartz_cron_expression: "0 0 3 * * ?", timezone_id: "Mars/Base" } }, 400, /Mars\/Base/],
      [{ continuous: { pause_status: "UNPAUSED" } }, 501, /'continuous'/],
    ];
    for (const [settings, status, message] of wrong) {
      const reply = await call("POST", `${JOBS}/create`, settings);
      assert.equal(reply.status, status, JSON.stringify(reply.body));
      assert.match(reply.body.message, message);
    }
  });

  await t.test("a deleted job is gone", async () => {
    await call("POST", `${JOBS}/delete`, { job_id: job });
    assert.match((await call("GET", `${JOBS}/get?job_id=${job}`)).body.message, /Job \d+ does not exist/);
  });
});

test("after a kill -9 jobs are there, and what was running has ended", async (t) => {
  const data = temporaryFolder(t);
  const server = fork(new URL("./server-process.mjs", import.meta.url), [data]);
  const [address] = await once(server, "message");
  const before = jobsOf(client(address));
  const pidFile = join(temporaryFolder(t), "pid");
  await before.file("long.py", `import os, sys, time\nopen(sys.argv[1], 'w').write(str(os.getpid()))\ntime.sleep(3600)`);
  const job = (await before.call("POST", `${JOBS}/create`, { name: "kept", tasks: [] })).body.job_id;
  const run = await before.submit([python("a", "long.py", [pidFile])]);
  const pids = await started(pidFile);
  server.kill("SIGKILL");
  await once(server, "exit");
  await allGone(pids);
  const { get, call } = jobsOf(await start(t, { data }));
  const seen = await get(run);
  assert.equal(seen.state.life_cycle_state, "INTERNAL_ERROR");
  assert.match(seen.state.state_message, /The workspace was stopped/);
  assert.equal(seen.tasks[0].state.life_cycle_state, "INTERNAL_ERROR");
  assert.equal((await call("GET", `${JOBS}/get?job_id=${job}`)).body.settings.name, "kept");
});
