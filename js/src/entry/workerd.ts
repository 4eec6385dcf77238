/** The entry for Workers, where a module is imported compiled: it is ready at once, without `init()`. */
import compiled from '../../wasm/lakelet.wasm';

import { provide } from '../core.js';

provide(compiled);

export * from '../index.js';
