/** The entry for Workers, where a module is imported compiled: it is ready at once, without `initDatabricks()`. */
import compiled from '../../../wasm/databricks.wasm';

import { provide } from '../../databricks/module.js';

provide(compiled);

export * from '../../databricks/index.js';
