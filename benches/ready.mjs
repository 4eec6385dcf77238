// From import to a usable signature, in a fresh process; prints milliseconds.
const start = performance.now();
const { init, signature } = await import('lakelet');
await init();
signature('question -> answer');
console.log(performance.now() - start);
