// The smallest useful page: one signature, one call of a serving endpoint through a gateway.
import { predict, Workspace } from 'lakelet';

const workspace = new Workspace({ baseUrl: '/api' });
const qa = predict('context: list[str], question -> reply, citations: list[str]');
export const run = (inputs) => qa.run(inputs, { workspace, lm: 'databricks-llama-4-maverick' });
