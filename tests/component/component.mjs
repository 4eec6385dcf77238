import { fileURLToPath } from 'node:url';

/** What `make component` built. */
export const COMPONENT = fileURLToPath(new URL('../../build/component/lakelet.component.wasm', import.meta.url));
