// The suite with the web door, in workerd: each call is a request.
import { answer } from './answer.mjs';
import * as suite from './suite.js';
import module from './suite_bg.wasm';

suite.initSync({ module });

export default {
  fetch: async (request) => Response.json(answer(suite, await request.json())),
};
