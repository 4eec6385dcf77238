/** The entry for pages, and for hosts that fetch: the module lies beside the scripts, where bundlers find it too. */
import { provide } from '../core.js';

provide(() => new URL('../../wasm/lakelet.wasm', import.meta.url));

export * from '../index.js';
