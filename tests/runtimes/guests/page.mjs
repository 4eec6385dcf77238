// The suite with the web door, in a page.
import load, * as suite from '/build/runtimes/web/suite.js';

import { answer } from './answer.mjs';

await load();

export const call = (call) => answer(suite, call);
