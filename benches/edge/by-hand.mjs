// The calls of the assistant written by hand, without screening, prompts, checks of replies or traces: what workerd itself costs.
const HEADERS = { authorization: 'Bearer scripted-token', 'content-type': 'application/json' };
const encoder = new TextEncoder();

export default {
  async fetch(request, env) {
    const { inputs: { question } } = await request.json();
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const tell = (event, data) => writer.write(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
    const ask = async (field) => {
      const messages = [{ role: 'system', content: `[[ ## ${field} ## ]]` }, { role: 'user', content: question }];
      const reply = await post(`${env.DATABRICKS_HOST}/serving-endpoints/scripted/invocations`, { messages, stream: true });
      for await (const _ of reply.body);
      await tell('finished', { field });
    };
    const run = async () => {
      await ask('search_strategy');
      await (await post(`${env.DATABRICKS_HOST}/api/2.0/vector-search/indexes/main.bench.docs/query`, { columns: ['id', 'text'], num_results: 3, query_text: question })).json();
      await ask('answer');
      await Promise.all([ask('is_approved'), ask('formatted_answer')]);
      await tell('result', { fields: { answer: question.replace('?', ' .') } });
      await writer.close();
    };
    void run();
    return new Response(readable, { headers: { 'content-type': 'text/event-stream' } });
  },
};

const post = (url, body) => fetch(url, { method: 'POST', headers: HEADERS, body: JSON.stringify(body) });
