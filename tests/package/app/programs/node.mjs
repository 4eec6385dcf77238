import { predict } from 'lakelet';

const lm = () => '[[ ## answer ## ]]\nYes.\n\n[[ ## score ## ]]\n0.9\n\n[[ ## completed ## ]]';
console.log(JSON.stringify(await predict('question -> answer: str, score: float').run({ question: 'Is it?' }, { lm })));
