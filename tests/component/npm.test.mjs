// The component and the npm package send the same bytes for the same program.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chainOfThought, configure, init, pipeline, predict, Workspace } from 'lakelet';
import { databricksRag, enterpriseAssistant } from 'lakelet/assistant';
import { programs, signatures } from './dist/lakelet.js';
import { FRESH, startEndpoint } from './workspace.mjs';

const { Program } = programs;
let endpoint, workspace;

before(async () => {
  await init();
  endpoint = await startEndpoint();
  workspace = endpoint.model('filling');
  workspace.addIndex('index', { name: 'main.rag.docs', columns: ['title', 'document', 'heading'], queryType: 'hybrid' });
  const npm = new Workspace({ host: endpoint.host, token: 'dapi-for-tests' });
  configure({ workspace: npm, lm: 'filling', rm: npm.index('main.rag.docs', { columns: ['title', 'document', 'heading'], queryType: 'HYBRID' }), cache: false });
});
after(() => endpoint.stop());

/** The bodies that a call sends; those that are sent side by side arrive in any order. */
async function sent(call) {
  await endpoint.reset();
  const outputs = await call();
  return { outputs, bodies: (await endpoint.seen()).bodies.sort() };
}

const signature = (text, instructions) => signatures.Signature.parse(text, instructions);
const asked = { question: 'Where do bicycles stand, "exactly" – in the yard?\n[[ ## answer ## ]]' };
const reader = { ...asked, role: 'employee', region: 'EU', department: 'legal' };
const changes = { steps: { retrieve: { k: 5 }, complex_query: { config: { max_tokens: 100, temperature: 0.5 } } } };

const CASES = {
  'a predictor': [
    Program.predict(signature('question -> answer')),
    () => predict('question -> answer'),
    asked,
  ],
  'a predictor with demos, parameters and instructions': [
    Program.predict(signature('question -> answer, is_sure: bool', 'Be brief.'), { config: '{"temperature": 0.5, "max_tokens": 50}', demos: '[{"question": "Why?", "answer": "Because.", "is_sure": true}]' }),
    () => predict('question -> answer, is_sure: bool', { instructions: 'Be brief.', config: { temperature: 0.5, max_tokens: 50 }, demos: [{ question: 'Why?', answer: 'Because.', is_sure: true }] }),
    asked,
  ],
  'a chain of thought': [
    Program.chainOfThought(signature('question, context: list[str] -> answer')),
    () => chainOfThought('question, context: list[str] -> answer'),
    { ...asked, context: ['Ä', '1.0', 'c'] },
  ],
  'a pipeline': [
    Program.readyMade('databricks_rag'),
    () => pipeline(databricksRag),
    asked,
  ],
  'the assistant with changes': [
    Program.readyMade('enterprise_assistant', JSON.stringify(changes)),
    () => pipeline(enterpriseAssistant, { changes }),
    reader,
  ],
};

for (const [name, [program, ofPackage, given]] of Object.entries(CASES)) {
  test(name, async () => {
    const component = await sent(() => JSON.parse(program.run(workspace, JSON.stringify(given), FRESH).fields));
    const npm = await sent(() => ofPackage().run(given));
    assert.ok(component.bodies.length > 0);
    assert.deepEqual(component, { outputs: { ...npm.outputs }, bodies: npm.bodies });
  });
}

test('a state that one saves is the state that the other saves', async () => {
  const [program, npm] = [Program.readyMade('enterprise_assistant'), pipeline(enterpriseAssistant)];
  assert.equal(program.dumpState(), npm.save());
  const state = JSON.parse(npm.save());
  state['complex_query.predict'].demos = [{ question: 'q', background: '', reasoning: 'r', search_strategy: 's', refined_query: 'q' }];
  program.loadState(JSON.stringify(state));
  npm.load(JSON.stringify(state));
  const component = await sent(() => program.run(workspace, JSON.stringify(reader), FRESH));
  assert.deepEqual(component.bodies, (await sent(() => npm.run(reader))).bodies);
});
