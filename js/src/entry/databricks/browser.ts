/** The entry for pages, and for hosts that fetch: the module lies beside the scripts, where bundlers find it too. */
import { provide } from '../../databricks/module.js';

provide(() => new URL('../../../wasm/databricks.wasm', import.meta.url));

export * from '../../databricks/index.js';
