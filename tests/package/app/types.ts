import { predict } from 'lakelet';
import { createGateway } from 'lakelet/gateway';

const { answer, score } = await predict('context: list[str], question -> answer: str, score: float').run({ context: ['a'], question: 'b' });
const text: string = answer;
const number: number = score;
// @ts-expect-error a score is a number
const wrong: string = score;
createGateway({ programs: {} });
export { text, number, wrong };
