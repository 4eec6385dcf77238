// Lakelet's side of test_spark.py: training sets and predictors over tables, on the statement server whose address is given. A request is a
// line of JSON, and so is the answer.
import { createInterface } from 'node:readline';

import { answerExactMatch, chainOfThought, init, predict, signature, Workspace } from 'lakelet';
import { DistributedDataProcessor } from 'lakelet/databricks';

await init();
const processor = new DistributedDataProcessor(new Workspace({ host: process.argv[2], token: 'dapi-peer', retries: 0 }), 'w');

/** JSON has no floats that are whole, nothing that is no number, and no large integers: `{"float": "1e16"}`, `{"int": "9007199254740993"}`. */
function revive(_, value) {
  if (value !== null && typeof value === 'object' && Object.keys(value).length === 1) {
    if (typeof value.float === 'string') return new Number({ nan: NaN, inf: Infinity, '-inf': -Infinity }[value.float] ?? value.float);
    if (typeof value.int === 'string') return BigInt(value.int);
  }
  return value;
}

function predictor({ kind = 'predict', fields, instructions, demos = [], adapter = 'chat', config = {} }) {
  const of = signature({ instructions, inputs: fields.inputs, outputs: fields.outputs });
  return (kind === 'predict' ? predict : chainOfThought)(of, { adapter, demos, config });
}

const told = ({ example, prediction, error }) =>
  ({ example, prediction, error: error && { code: error.code, field: error.field, message: error.message } });

async function all(items, of = (item) => item) {
  const found = [];
  for await (const item of items) found.push(of(item));
  return found;
}

const DOES = {
  diagnostics: ({ from, ...options }) => processor.processLspDiagnostics(from, options),
  create: ({ selection, output }) => processor.createTrainingDataset(selection, output),
  examples: ({ selection }) => all(processor.examples(selection)),
  write: ({ selection, output }) => processor.write(selection, output),
  submit: ({ selection, output, ...options }) => processor.submit(selection, output, options),
  messages: ({ of, rows }) => rows.map((row) => predictor(of).messages(row)),
  ask: async ({ of, options }) => all(await processor.aiQuery(predictor(of), options), told),
  score: async ({ of, options, wanted }) => {
    const answers = await processor.aiQuery(predictor(of), options);
    const metric = (example, { answer }) => answerExactMatch({ answer: example[wanted] }, { answer });
    return { counted: await answers.exactMatch({ wanted }), scored: await answers.evaluate(metric) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...given } = JSON.parse(line, revive);
  const failed = ({ code, field, message }) => ({ error: { code, field, message } });
  const answered = await Promise.resolve().then(() => DOES[what](given)).then((ok) => ({ ok }), failed);
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
