/** The local workspace, in a folder of its own, with SQL by DuckDB. */
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

/** Starts it; it is closed when the test ends. */
export async function localWorkspace(t: { after(fn: () => unknown): void }): Promise<Workspace> {
  const data = mkdtempSync(join(tmpdir(), 'lakelet-workspace-'));
  const { url, token, close } = await startWorkspace({ port: 0, data, model: 'smollm2', documents: false, threads: 1, sql: 'duckdb' });
  t.after(async () => {
    await close();
    rmSync(data, { recursive: true });
  });
  return new Workspace({ host: url, token });
}
