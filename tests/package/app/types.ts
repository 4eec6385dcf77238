import { predict } from 'lakelet';
import { createGateway } from 'lakelet/gateway';
import { createWorker } from 'lakelet/worker';

const { answer, score } = await predict('context: list[str], question -> answer: str, score: float').run({ context: ['a'], question: 'b' });
const text: string = answer;
const number: number = score;
// @ts-expect-error a score is a number
const wrong: string = score;
createGateway({ programs: {} });
createWorker({ programs: () => ({ qa: { program: { inputs: [], steps: [], stream: (inputs, options) => predict('question -> answer').stream({ question: String(inputs['question']) }, options) } } }) });
export { text, number, wrong };
