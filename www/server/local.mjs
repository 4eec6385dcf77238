// The local workspace, when no real one is configured.
import { readFile } from 'node:fs/promises';

/** Starts it, tells how far it is, and gives the configuration that leads to it. */
export async function startLocal(config, say) {
  const { startWorkspace } = await import('lakelet-workspace');
  say(`DATABRICKS_HOST is not set: starting the local workspace with ${config.model}`);
  const workspace = await startWorkspace({
    port: 0,
    model: config.model,
    ...(config.documents && { documents: config.documents }),
    ...(config.data && { data: config.data }),
    log: say,
    onProgress: progress(say),
  });
  say(`The local workspace is at ${workspace.url}; reading the documents`);
  await workspace.documentsLoaded;
  const overlay = config.overlay ?? JSON.parse(await readFile(new URL('local-model.json', import.meta.url), 'utf8'));
  const { url: host, token } = workspace;
  return { workspace, config: { ...config, host, token, overlay } };
}

/** Tells of new documents, every three seconds at most. */
function progress(say) {
  let next = 0;
  return ({ done, total, changed }) => {
    if (changed === 0 || Date.now() < next) return;
    next = Date.now() + 3000;
    say(`  ${done} of ${total} documents`);
  };
}
