// Lakelet's side of test_dspy_programs.py: the same programs, run against the endpoint whose address is given. A request is a line of
// JSON, and so is the answer.
import { createInterface } from 'node:readline';

import {
  bestOfN, chainOfThought, configure, init, Module, multiChainComparison, predict, react, reactV2, refine, signature, tool, Workspace,
} from 'lakelet';

await init();
configure({ workspace: new Workspace({ host: process.argv[2], token: 'dapi-peer' }), lm: 'm', cache: false });

const QA = 'question -> answer';
const search = tool(
  { name: 'search', desc: 'Search pages.', args: { query: { type: 'string' } } },
  ({ query }) => ({ leave: '25 days' })[query] ?? 'nothing',
);
const verdict = () => signature({
  instructions: 'Judge the claim\n    by the passages alone.',
  inputs: { passages: { type: 'list[str]', desc: 'what was found' }, claim: 'str' },
  outputs: {
    verdict: "Literal['supported', 'refuted', 'unknown']",
    confidence: { type: 'float', ge: 0, le: 1, desc: 'how sure' },
    quotes: 'list[str]',
  },
});

class Rag extends Module {
  plan = chainOfThought('question -> search_query');
  hops = [predict('question, notes: list[str] -> note'), predict('question, notes: list[str] -> note')];
  by = { short: predict('notes: list[str], question -> answer') };

  async forward({ question }) {
    const { search_query } = await this.plan.run({ question });
    const notes = [search_query];
    for (const hop of this.hops) notes.push((await hop.run({ question, notes })).note);
    return this.by.short.run({ notes, question });
  }
}

const KINDS = {
  predict: () => predict(QA),
  typed: () => predict(verdict()),
  chain_of_thought: () => chainOfThought(QA),
  multi_chain_comparison: () => multiChainComparison(QA, { m: 3 }),
  react: () => react(QA, { tools: [search] }),
  react_v2: () => reactV2(QA, { tools: [search] }),
  best_of_n: () => bestOfN(chainOfThought(QA), { n: 2, rewardFn: () => 0, threshold: 1 }),
  refine: () => refine(predict(QA), { n: 2, rewardFn: () => 1, threshold: 1 }),
  rag: () => new Rag(),
};

const EXAMPLES = { 'list[str]': ['x', 'ÿ\n'], float: 0.75, 'dict[str, Any]': { query: 'leave' } };

/** Gives each predictor demos of its own fields, one of them incomplete, and other instructions. */
function tune(program) {
  for (const [path, predictor] of program.namedPredictors()) {
    const { fields, instructions } = predictor.signature;
    const whole = Object.fromEntries(fields.map(({ name, type }) => [name, EXAMPLES[type] ?? (type.startsWith('Literal') ? 'search' : 'demo «text»')]));
    const [first, ...others] = Object.entries(whole);
    predictor.demos = [{ augmented: true, ...whole }, Object.fromEntries(others.length > 1 ? [first, ...others.slice(1)] : [first, ...others])];
    predictor.instructions = `${instructions}\n\nOf ${path}: be brief.`;
  }
}

async function answer({ do: what, kind, state, inputs }) {
  const program = KINDS[kind]();
  if (state) program.load(state);
  if (what === 'tune') tune(program);
  if (what === 'run') await program.run(inputs);
  return what === 'run' ? {} : { state: program.save() };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answered = await answer(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
