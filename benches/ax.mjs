// The same work done by ax (@ax-llm/ax), the strongest JavaScript peer. Its reply parser is not exported, so that row is empty.
import { pathToFileURL } from 'node:url';
import * as fixture from './fixtures.mjs';
import { measure } from './measure.mjs';

const folder = process.argv[2];
const { AxSignature, AxPromptTemplate, AxMockAIService, ax } = await import(
  pathToFileURL(`${folder}/node_modules/@ax-llm/ax/index.js`).href
);
const result = {};
result.signature = await measure(() => new AxSignature(fixture.axSignature));
const signature = new AxSignature(fixture.axSignature);
signature.setDescription(fixture.instructions);
for (const count of [0, 4, 16]) {
  const demos = fixture.demos(count);
  const template = new AxPromptTemplate(signature);
  result[`render ${count}`] = await measure(() => template.render(fixture.inputs, { demos }));
}
const { answer, citations, confidence } = fixture.outputs;
const content = `Answer: ${answer}\nCitations: ${JSON.stringify(citations)}\nConfidence: ${confidence}`;
const model = new AxMockAIService({
  features: { functions: false, streaming: false },
  chatResponse: async () => ({
    results: [{ index: 0, content, finishReason: 'stop' }],
    modelUsage: { ai: 'm', model: 'm', tokens: { promptTokens: 1, completionTokens: 1, totalTokens: 2 } },
  }),
});
const program = ax(fixture.axSignature);
result.call = await measure(() => program.forward(model, fixture.inputs));
console.log(JSON.stringify(result));
process.exit(0);
