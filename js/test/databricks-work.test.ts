/** Files, jobs and pipelines, on the local workspace. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { LakeletError, Workspace } from 'lakelet';
import { Files, Jobs, Pipelines, Warehouse, WorkspaceFiles, type Progress } from 'lakelet/databricks';
import { startWorkspace } from 'lakelet-workspace';

const RAW = '/Volumes/main/default/raw';
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const refused = (code: string, message: RegExp) => (error: unknown) => error instanceof LakeletError && error.code === code && message.test(error.message);

// SQL runs in Python with DuckDB, which the environment of the peer tests has.
const peers = join(process.env.LAKELET_CACHE ?? join(homedir(), '.cache', 'lakelet'), 'peers', 'bin', 'python');
if (!process.env.LAKELET_PYTHON && existsSync(peers)) process.env.LAKELET_PYTHON = peers;

test('files, jobs and pipelines of the local workspace', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'lakelet-'));
  const local = await startWorkspace({ port: 0, model: 'smollm2', documents: false, contextSize: 1024, threads: 1, data, sql: 'duckdb' });
  t.after(async () => {
    await local.close();
    rmSync(data, { recursive: true });
  });
  const workspace = new Workspace({ host: local.url, token: local.token });
  const files = new Files(workspace), notebooks = new WorkspaceFiles(workspace), jobs = new Jobs(workspace), pipelines = new Pipelines(workspace);
  const warehouse = new Warehouse(workspace, 'local');
  await warehouse.execute('CREATE VOLUME main.default.raw');
  const notebook = (path: string) => ({ task_key: 'main', notebook_task: { notebook_path: path } });

  await t.test('files are written, read whole and in pieces, listed and deleted', async () => {
    await files.upload(`${RAW}/a b/ü.txt`, 'hello volume');
    assert.equal(text(await files.download(`${RAW}/a b/ü.txt`)), 'hello volume');
    await assert.rejects(files.upload(`${RAW}/a b/ü.txt`, 'x'), refused('conflict', /exists already/));
    await files.upload(`${RAW}/a b/ü.txt`, new Blob(['new']), { overwrite: true });
    assert.equal((await files.metadata(`${RAW}/a b/ü.txt`)).size, 3);

    const big = new Uint8Array((8 << 20) + 5).map((_, i) => i % 251);
    await files.upload(`${RAW}/big.bin`, big);
    const pieces: Uint8Array[] = [];
    for await (const piece of await files.stream(`${RAW}/big.bin`)) pieces.push(piece);
    assert.deepEqual(pieces.map(({ length }) => length), [8 << 20, 5]);
    assert.ok(Buffer.concat(pieces).equals(big));
    assert.equal(text(await files.download(`${RAW}/big.bin`)).length > 0, true);

    await files.createDirectory(`${RAW}/sub`);
    assert.deepEqual((await files.list(RAW, { page_size: 2 })).map(({ name }) => name), ['a b', 'big.bin', 'sub']);
    assert.equal(await files.directoryExists(`${RAW}/nope`), false);
    await assert.rejects(files.deleteDirectory(`${RAW}/a b`), refused('bad_request', /not empty/));
    await files.deleteDirectory(`${RAW}/sub`);
    await files.delete(`${RAW}/big.bin`);
    await assert.rejects(files.download(`${RAW}/big.bin`), refused('not_found', /does not exist/));
    await assert.rejects(files.download('raw/x'), refused('input', /does not start with/));
  });

  await t.test('notebooks and workspace files are imported, exported and listed', async () => {
    await notebooks.createDirectory('/Shared/w');
    await notebooks.import('/Shared/w/n', 'SELECT 1', { language: 'SQL' });
    await notebooks.import('/Shared/w/m.py', 'print(1)');
    assert.equal(text(await notebooks.export('/Shared/w/n')), '-- Databricks notebook source\nSELECT 1');
    assert.equal((await notebooks.status('/Shared/w/n')).language, 'SQL');
    assert.deepEqual((await notebooks.list('/Shared/w')).map(({ object_type }) => object_type), ['FILE', 'NOTEBOOK']);
    await assert.rejects(notebooks.import('/Shared/w/n', 'SELECT 2', { language: 'SQL' }), refused('conflict', /already exists/));
    await assert.rejects(notebooks.delete('/Shared/w'), refused('bad_request', /not empty/));
    await notebooks.delete('/Shared/w', { recursive: true });
  });

  await t.test('a run is waited for, its output read, and one that fails tells error and trace', async () => {
    await notebooks.import('/Shared/n', "dbutils.notebook.exit(open('/Volumes/main/default/raw/a b/ü.txt').read())", { language: 'PYTHON' });
    await notebooks.import('/Shared/broken', 'def f():\n    return 1 / 0\nf()', { language: 'PYTHON' });
    const told: Progress[] = [];
    const run = await jobs.run({ run_name: 'good', tasks: [notebook('/Shared/n')] }, { onProgress: (progress) => told.push(progress) });
    assert.equal(run.state.result_state, 'SUCCESS');
    assert.ok(told.some(({ state, message }) => state === 'RUNNING' && message === '0 of 1 tasks ended'));
    assert.equal((await jobs.output(run.tasks?.[0]?.run_id ?? 0)).notebook_output?.result, 'new');
    await assert.rejects(jobs.run({ tasks: [notebook('/Shared/broken')] }), refused('bad_request', /task `main`: ZeroDivisionError: division by zero\nTraceback[^]*line 2, in f/));
    await assert.rejects(jobs.get(1), refused('not_found', /Run 1 does not exist/));
  });

  await t.test('a job is stored, changed, run now, cancelled and deleted', async () => {
    await notebooks.import('/Shared/wait', "import time\ntime.sleep(float(dbutils.widgets.get('seconds')))", { language: 'PYTHON' });
    const job = await jobs.create({ name: 'nightly', tasks: [notebook('/Shared/wait')], parameters: [{ name: 'seconds', default: '0' }] });
    await jobs.update(job, { tags: { a: 'b' } });
    assert.deepEqual((await jobs.job(job)).settings.tags, { a: 'b' });
    assert.deepEqual((await jobs.list({ name: 'nightly' })).map(({ job_id }) => job_id), [job]);
    await jobs.finish(await jobs.runNow(job));
    const long = await jobs.runNow(job, { job_parameters: { seconds: '3600' } });
    await assert.rejects(jobs.finish(long, { timeout: 50 }), refused('deadline', /was still/));
    await jobs.cancel(long);
    await assert.rejects(jobs.finish(long), refused('cancelled', /CANCELED/));
    assert.equal((await jobs.runs({ job_id: job })).length, 2);
    await jobs.delete(job);
    await assert.rejects(jobs.job(job), refused('not_found', /does not exist/));
  });

  await t.test('a pipeline is followed to its end, and one that fails says why', async () => {
    await notebooks.import('/Shared/good.sql', 'CREATE OR REFRESH MATERIALIZED VIEW answers AS SELECT 42 AS x');
    await notebooks.import('/Shared/bad.sql', 'CREATE OR REFRESH MATERIALIZED VIEW bad AS SELECT y FROM nowhere');
    const spec = (name: string) => ({ name, catalog: 'main', schema: 'default', libraries: [{ file: { path: `/Shared/${name}.sql` } }] });
    const good = await pipelines.create(spec('good')), bad = await pipelines.create(spec('bad'));
    assert.equal((await pipelines.run(good)).state, 'COMPLETED');
    assert.deepEqual((await warehouse.execute('SELECT * FROM main.default.answers')).records, [{ x: 42 }]);
    await assert.rejects(pipelines.run(bad), refused('bad_request', /ended as FAILED: [^]*TABLE_OR_VIEW_NOT_FOUND[^]*nowhere/));
    assert.ok((await pipelines.events(bad, { filter: "level='ERROR'", most: 5 })).length > 0);
    await pipelines.stop(good);
    assert.deepEqual((await pipelines.list()).map(({ name, state }) => [name, state]), [['bad', 'FAILED'], ['good', 'IDLE']]);
    await pipelines.delete(bad);
    await assert.rejects(pipelines.get(bad), refused('not_found', /was not found/));
  });
});
