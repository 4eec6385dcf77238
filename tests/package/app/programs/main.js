import { predict, signature, init } from 'lakelet';

const lm = () => '[[ ## answer ## ]]\nYes.\n\n[[ ## score ## ]]\n0.9\n\n[[ ## completed ## ]]';
await init();
const read = signature('question -> answer: str, score: float');
document.body.textContent = JSON.stringify(await predict(read).run({ question: 'Is it?' }, { lm }));
document.body.dataset.done = 'yes';
