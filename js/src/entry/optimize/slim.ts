/** The optimizers without a module: hand optimize.wasm to `init()` of `lakelet/slim`. */
import * as core from '../../../wasm/optimize.js';
import { replace } from '../../core.js';

replace(core, 'optimize.wasm');

export * from '../../optimize/index.js';
