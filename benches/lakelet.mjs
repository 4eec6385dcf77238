// Lakelet through the wasm door, as a program in Node uses it.
import { evaluate, init, predict, signature, Workspace } from 'lakelet';
import * as fixture from './fixtures.mjs';
import { measure } from './measure.mjs';

await init();
const result = {};
result.signature = await measure(() => signature(fixture.signature, { instructions: fixture.instructions }));
result['signature, short'] = await measure(() => signature('question -> answer'));
for (const count of [0, 4, 16]) {
  const program = predict(fixture.signature, { instructions: fixture.instructions, demos: fixture.demos(count) });
  result[`render ${count}`] = await measure(() => program.messages(fixture.inputs));
}
const program = predict(fixture.signature, { instructions: fixture.instructions });
result['parse clean'] = await measure(() => program.readReply(fixture.cleanReply));
result['parse sloppy'] = await measure(() => program.readReply(fixture.sloppyReply));

const headers = new Headers({ 'content-type': 'application/json' });
const body = new TextEncoder().encode(fixture.completion);
const instant = async () => ({
  status: 200,
  headers,
  body: null,
  arrayBuffer: async () => body.buffer,
});
const workspace = new Workspace({ host: 'https://example.cloud.databricks.com', token: 't', fetch: instant });
result.call = await measure(() => program.run(fixture.inputs, { workspace, lm: 'instant', cache: false }));

const settings = { workspace, lm: 'instant', cache: false };
const metric = (example, prediction) => example.label === prediction.answer;
const perSet = await measure(() => evaluate(program, { devset: fixture.devset, metric, ...settings }), { rounds: 5, warmupMs: 0 });
result.evaluate = Object.fromEntries(Object.entries(perSet).map(([name, us]) => [name, us / fixture.devset.length]));
console.log(JSON.stringify(result));
