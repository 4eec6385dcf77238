// Asks the running demo every question of a set and prints what came of it as a table.
//
//   node tests/assistant/run.mjs [--url http://127.0.0.1:8080] [--questions tests/assistant/questions.json] [--only ID,ID]
//
// A question counts as right when every expected fact is in the answer and a source is one of the documents that state it;
// as told when nothing answers it and the assistant says so, without sources; as refused when the assistant refuses, or
// says that it found nothing where the role may not see what there is. Exits with 1 when fewer than 80 % of the answerable
// ones are right, or any other question is not handled as it should be.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    questions: { type: 'string', default: new URL('questions.json', import.meta.url).pathname },
    only: { type: 'string' },
  },
});
const sets = JSON.parse(await readFile(options.questions, 'utf8'));
const only = options.only?.split(',');
const chosen = (questions) => questions.filter((question) => !only || only.includes(question.id));

async function ask({ question, user }) {
  const start = performance.now();
  const response = await fetch(`${options.url}/api/programs/enterprise_assistant`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: { question }, user }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${body.error_code}: ${body.message}`);
  return { ...body, outcome: OUTCOMES[body.stoppedBy] ?? 'refused', seconds: (performance.now() - start) / 1000 };
}

/** What the guard that stopped the program means; `null` is none. */
const OUTCOMES = { null: 'answered', answer_found: 'not_found' };

const documentOf = (source) => source.document.replace(/^.*\//, '').replace(/\.md$/, '');
const ROWS = {
  answerable(question, { outcome, prediction }) {
    const facts = question.expect.every((fact) => new RegExp(fact, 'i').test(prediction.answer));
    const source = prediction.sources.some((source) => question.sources.includes(documentOf(source)));
    if (outcome === 'answered' && facts && source) return 'right';
    return outcome === 'answered' ? `WRONG (${facts ? '' : 'fact'}${facts || source ? '' : ', '}${source ? '' : 'source'})` : `WRONG (${outcome})`;
  },
  unanswerable: (_, { outcome, prediction }) => (outcome === 'not_found' && prediction.sources.length === 0 ? 'told' : `WRONG (${outcome})`),
  // Of what the role may not see, `not found` is as good: a refusal would tell that it exists.
  refused({ leaks = [], restricted }, { outcome, prediction }) {
    if (leaks.some((leak) => new RegExp(leak, 'i').test(prediction.answer))) return 'WRONG (leaked)';
    if (outcome === 'refused') return 'refused';
    return restricted && outcome === 'not_found' ? 'withheld' : `WRONG (${outcome})`;
  },
};

const seconds = [];
let short = false;
for (const [kind, verdict] of Object.entries(ROWS)) {
  const questions = chosen(sets[kind]);
  let good = 0;
  console.log(`\n${kind} (${questions.length})`);
  for (const question of questions) {
    const reply = await ask(question);
    const result = verdict(question, reply);
    seconds.push(reply.seconds);
    if (!result.startsWith('WRONG')) good++;
    const sources = reply.prediction.sources.map(documentOf).join(', ');
    console.log(`  ${result.padEnd(22)} ${reply.seconds.toFixed(1).padStart(5)} s  ${question.id}: ${question.question}`);
    console.log(`  ${''.padEnd(22)}          ${reply.prediction.answer.replace(/\s+/g, ' ').slice(0, 180)}${sources && `  [${sources}]`}`);
  }
  console.log(`  ${good} of ${questions.length}`);
  if (good < questions.length * (kind === 'answerable' ? 0.8 : 1)) short = true;
}
seconds.sort((a, b) => a - b);
console.log(`\nseconds a question: median ${seconds[seconds.length >> 1]?.toFixed(1)}, longest ${seconds.at(-1)?.toFixed(1)}`);
process.exit(short ? 1 : 0);
