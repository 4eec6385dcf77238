import { answerExactMatch, predict } from 'lakelet';
import { collect, fromCsv, fromJsonLines } from 'lakelet/data';
import { createGateway } from 'lakelet/gateway';
import { FolderStore } from 'lakelet/node';
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
const rows: { question: string }[] = [...(await fromCsv<{ question: string }>('')), ...(await collect(fromJsonLines<{ question: string }>(new Blob())))];
const store: { get(key: string): Promise<string | undefined> } = new FolderStore('folder');
createWorker({ programs: () => ({ qa: { program: { inputs: [], steps: [], stream: (inputs, options) => predict('question -> answer').stream({ question: String(inputs['question']) }, options) } } }) });
export { text, number, wrong, optimized, percent };
