/** DSPy programs on Databricks, in the browser and at the edge. */
export { init, type ModuleSource } from './core.js';
export { LakeletError, type ErrorCode, type UnreadableReply } from './errors.js';
export type { Given, Inputs, Outputs, TypeOf } from './infer.js';
