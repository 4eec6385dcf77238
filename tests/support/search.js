// Small searches, the same at every entry of `lakelet/optimize`.

const trainset = ['a', 'hard', 'b', 'c'].map((question) => ({ question, answer: 'right' }));

/** Teaches a program by demos, by instructions, and by both, and tells what it has learned each time. */
export async function search({ answerExactMatch: metric, predict }, { BootstrapFewShot, COPRO, MIPROv2 }, lm) {
  const optimizers = [
    new BootstrapFewShot({ metric, maxBootstrappedDemos: 1, maxLabeledDemos: 1 }),
    new COPRO({ metric, breadth: 2, depth: 1 }),
    new MIPROv2({ metric, auto: null, numCandidates: 2, numTrials: 1, minibatch: false, maxBootstrappedDemos: 0, maxLabeledDemos: 0 }),
  ];
  const found = [];
  for (const optimizer of optimizers) {
    const { program, score } = await optimizer.compile(predict('question -> answer'), { trainset, valset: trainset, lm });
    found.push({ score, instructions: program.instructions, demos: program.demos });
  }
  return found;
}

const untold = 'Given the fields `question`, produce the fields `answer`.';

/** What they come to with the model of `model.mjs`. */
export const FOUND = [
  { score: null, instructions: untold, demos: [{ augmented: true, question: 'a', answer: 'right' }] },
  { score: 100, instructions: 'Be right.', demos: [] },
  { score: 100, instructions: 'Be right.', demos: [] },
];
