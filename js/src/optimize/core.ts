/** The core with the optimizers. */
import type * as Exports from '../../wasm/optimize.js';
import { calling } from '../core.js';

/** Calls what only the core with the optimizers has. @internal */
export const optimizing = <T>(call: (core: typeof Exports) => T): T => calling((core) => call(core as unknown as typeof Exports));
