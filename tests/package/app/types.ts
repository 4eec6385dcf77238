import { answerExactMatch, predict } from 'lakelet';
import { createGateway } from 'lakelet/gateway';
import { COPRO } from 'lakelet/optimize';
import { createWorker } from 'lakelet/worker';

const { answer, score } = await predict('context: list[str], question -> answer: str, score: float').run({ context: ['a'], question: 'b' });
const text: string = answer;
const number: number = score;
// @ts-expect-error a score is a number
const wrong: string = score;
const { program, score: best } = await new COPRO({ metric: answerExactMatch }).compile(predict('question -> answer'), { trainset: [{ question: 'a', answer: 'b' }] });
const optimized: string = (await program.run({ question: 'a' })).answer;
const percent: number | null = best;
// @ts-expect-error it is asked a question
await program.run({ query: 'a' });
createGateway({ programs: {} });
createWorker({ programs: () => ({ qa: { program: { inputs: [], steps: [], stream: (inputs, options) => predict('question -> answer').stream({ question: String(inputs['question']) }, options) } } }) });
export { text, number, wrong, optimized, percent };
