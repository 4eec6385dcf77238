// The suite with the web door, in Node, Deno and Bun.
import { readFileSync } from 'node:fs';

import * as suite from '../../../build/runtimes/web/suite.js';
import { answerLines } from './lines.mjs';

suite.initSync({ module: readFileSync(new URL('../../../build/runtimes/web/suite_bg.wasm', import.meta.url)) });
await answerLines(suite);
