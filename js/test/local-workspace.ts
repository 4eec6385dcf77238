/** The local workspace, in a folder of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { Workspace } from 'lakelet';
import { startWorkspace } from 'lakelet-workspace';

/** The Python that has what the parts in Python need: `.ci/setup test` makes it. */
process.env['LAKELET_PYTHON'] ??= join(process.env['LAKELET_CACHE'] || join(homedir(), '.cache', 'lakelet'), 'peers', 'bin', 'python');

/** The id of its SQL warehouse. */
export const WAREHOUSE = 'local';

/** The endpoint of its embedding model. */
export const EMBEDDING = 'local-embedding';

/** Starts it, with SQL by DuckDB; it is closed when the test ends. */
export async function localWorkspace(t: { after(fn: () => unknown): void }): Promise<Workspace> {
  return (await started(t, 'duckdb')).workspace;
}

/** Starts it with SQL by an engine, and tells its address and its token as well. */
export async function started(t: { after(fn: () => unknown): void }, sql: 'duckdb' | 'spark'): Promise<{ workspace: Workspace; url: string; token: string }> {
  const data = mkdtempSync(join(tmpdir(), 'lakelet-workspace-'));
  const { url, token, close } = await startWorkspace({ port: 0, data, model: 'smollm2', documents: false, threads: 1, sql });
  t.after(async () => {
    await close();
    rmSync(data, { recursive: true });
  });
  return { workspace: new Workspace({ host: url, token }), url, token };
}

/** Why SQL cannot run by Apache Spark here, if it cannot. */
export function sparkIsMissing(): string | false {
  const python = process.env['LAKELET_PYTHON'] ?? 'python3';
  if (spawnSync(python, ['-c', 'import pyspark']).status !== 0) return `${python} lacks pyspark`;
  return spawnSync('java', ['-version']).status !== 0 && 'there is no java';
}
