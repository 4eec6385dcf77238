// The common case of every bench: a question over five passages, three outputs, n demos, one clean and one sloppy reply.
export const instructions = 'Answer from the passages only. If they do not contain the answer, say so.';
export const signature = 'context: list[str], question: str -> answer: str, citations: list[str], confidence: float';
export const axSignature =
  'context:string[] "passages retrieved from the index", question:string "what the employee asked" -> ' +
  'answer:string "short, grounded answer", citations:string[] "ids of passages used", confidence:number';

const passage = (i) =>
  `[doc-${i}] Field crews are issued ${15 + (i % 10)} rest days a season. Up to five unused rest days may be moved to the next ` +
  'season if the crew lead records them before the last sailing; longer absences need the harbour office to agree in writing.';

export const inputs = {
  context: [0, 1, 2, 3, 4].map(passage),
  question: 'How many unused rest days can I move to the next season, and who has to record them?',
};

export const demos = (count) =>
  Array.from({ length: count }, (_, i) => ({
    context: [passage(i), passage(i + 1)],
    question: `How many rest days are there in season ${2000 + i}?`,
    answer: `There are ${15 + (i % 10)} rest days in that season.`,
    citations: [`doc-${i}`],
    confidence: 0.9,
  }));

export const outputs = {
  answer:
    'Up to five unused rest days may be moved to the next season, when the crew lead records them before the last sailing. ' +
    'Longer absences need the harbour office to agree in writing.',
  citations: ['doc-0', 'doc-2'],
  confidence: 0.93,
};

/** A set to evaluate on. */
export const devset = Array.from({ length: 1000 }, () => ({ ...inputs, label: outputs.answer }));

/** A reply as DSPy's ChatAdapter asks for it. */
export const cleanReply =
  `[[ ## answer ## ]]\n${outputs.answer}\n\n[[ ## citations ## ]]\n${JSON.stringify(outputs.citations)}\n\n` +
  `[[ ## confidence ## ]]\n${outputs.confidence}\n\n[[ ## completed ## ]]`;

/** The same, as models really write it: words before it, Python quotes, a trailing comma. */
export const sloppyReply =
  `Sure! Here is the answer:\n\n[[ ## answer ## ]]\n${outputs.answer}\n\n[[ ## citations ## ]]\n['doc-0', 'doc-2',]\n\n` +
  `[[ ## confidence ## ]]\n 0.93 \n\n[[ ## completed ## ]]\n`;

/** The answer of an endpoint that takes no time. */
export const completion = JSON.stringify({
  id: 'c1',
  object: 'chat.completion',
  created: 0,
  model: 'instant',
  choices: [{ index: 0, message: { role: 'assistant', content: cleanReply }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
