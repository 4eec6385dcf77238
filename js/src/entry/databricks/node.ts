/**
 * The entry for Node: the module is read from the disk. Functions of it are compiled when they are first called. Models and indexes of a workspace are
 * the core's, which is read when the first is asked.
 */
import { readFileSync } from 'node:fs';

import { node } from '../../auth/node.js';
import { provideSurroundings } from '../../auth/surroundings.js';
import { provide as provideCore } from '../../core.js';
import { provide } from '../../databricks/module.js';

const read = (name: string) => () => new WebAssembly.Module(readFileSync(new URL(`../../../wasm/${name}.wasm`, import.meta.url)));
provide(read('databricks'));
provideCore(read('lakelet'));
provideSurroundings(node);

export * from '../../databricks/index.js';
