// Requests that a gateway must refuse, as data: what is sent, and the statuses that are an answer to it. Nothing of them may reach the
// workspace. Every gateway is held to the same table; tests/security/runner.mjs says how.
import { gzipSync } from 'node:zlib';

/** What the gateway under attack serves. */
const PROGRAM = 'assistant';
const ENDPOINT = 'chat';
const INDEX = 'main.default.handbook';

const question = { inputs: { question: 'Why?' } };
const chat = { model: ENDPOINT, messages: [{ role: 'user', content: 'Hello' }] };
const query = { columns: ['id'], query_text: 'leave' };

const program = `/api/programs/${PROGRAM}`;
const completions = '/api/serving-endpoints/chat/completions';
const invocations = `/api/serving-endpoints/${ENDPOINT}/invocations`;
const search = `/api/api/2.0/vector-search/indexes/${INDEX}/query`;

/**
 * A POST of JSON, unless changed.
 *
 * @typedef {object} Attack
 * @property {string} [method]
 * @property {string} target as it stands in the request line
 * @property {[string, string | null][]} [headers] beside those of a page; one of the same name takes its place, null leaves it out
 * @property {object | string | Uint8Array} [body]
 * @property {number[]} [refused] other statuses than those of the group
 */

/** A good request of each kind: the gateway that refuses everything has not passed. */
export const good = [
  { target: program, body: question },
  { target: completions, body: chat },
  { target: invocations, body: { messages: chat.messages } },
  { target: search, body: query },
  { method: 'GET', target: '/api/programs' },
];

const asked = (target, more) => ({ target, body: question, ...more });
const deep = (depth, text = '0') => '['.repeat(depth) + text + ']'.repeat(depth);

/** Those that a `Request` can hold, and so every host lets through. */
export const attacks = [
  {
    title: 'paths that two readers could understand differently lead nowhere',
    refused: [400, 404],
    requests: [
      '/api//programs/assistant', '/api/programs//assistant', '/api/programs/assistant/', '/api/programs%2fassistant',
      '/api/programs/%2Fassistant',
      '/api/programs/..%2fassistant', '/api/programs/%2e%2e%2fassistant', '/api/programs/assistant%00', '/api/programs/assistant%0d%0aX:1',
      '/api/programs/%5cassistant', '/api/programs/%', '/api/programs/%zz', '/api/programs/%c0%af', '/api/programs/%2561ssistant',
      '/api/programs/assistant%3Fx',
      '/api/programs/assistant?x=1', '/api/programs/assistant?', '/api/programs/assistant;x=1', '/api/programs/assistant%23',
      '/apix/programs/assistant', '/API/programs/assistant',
      '/programs/assistant', '/api', '/api/', '/', '/api/programs/assistant/steps', '/api/programs/assistant%20',
      '/api/programs/%EF%BC%8E%EF%BC%8E/assistant',
    ].map((target) => asked(target)),
  },
  {
    title: 'no path leads to another host',
    refused: [400, 404],
    requests: [
      '/api/programs/assistant@evil.example', '/api/@evil.example/programs/assistant', '/api/https:/evil.example/programs/assistant',
      '/api/programs/evil.example:80',
      '/api/programs/[::1]', '/api/serving-endpoints/chat@evil.example/invocations',
      '/api/serving-endpoints/[::ffff:169.254.169.254]/invocations',
      '/api/serving-endpoints/%2f%2fevil.example/invocations', '/api/serving-endpoints/http:%2f%2fevil.example/invocations',
      '/api/serving-endpoints/chat%2f..%2f..%2fapi/invocations',
      '/api/api/2.0/vector-search/indexes/main.default.handbook%2fscan/query', '/api/oidc/v1/token', '/api/api/2.0/clusters/list',
      '/api/api/2.0/secrets/get', '/api/.well-known/openid-configuration',
    ].map((target) => asked(target, { body: { messages: chat.messages } })),
  },
  {
    title: 'names off the list are not found, however they are written',
    refused: [400, 404],
    requests: [
      ...['Assistant', 'ASSISTANT', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', '%D0%B0ssistant',
        '%EF%BD%81ssistant', 'assistant%E2%80%8B', 'assistant%CC%81', '%20assistant', '0', 'undefined', 'null', '*']
        .map((name) => asked(`/api/programs/${name}`)),
      ...['other', 'Chat', 'CHAT', '__proto__', 'constructor', 'toString', '%D1%81hat', '%EF%BD%83hat', 'chat%E2%80%8B', 'chat%20', 'chat.',
        '*'].map((name) => ({ target: `/api/serving-endpoints/${name}/invocations`, body: { messages: chat.messages } })),
      ...['other', 'Chat', '__proto__', 'constructor', 'сhat', 'ｃhat', 'chat\u200b', 'chat\u0000', '../chat', 'databricks/chat', ['chat'],
        { toString: 'chat' }, 0, true, null].map((model) => ({ target: completions, body: { ...chat, model } })),
      ...['main.default.secret', 'MAIN.DEFAULT.HANDBOOK', '__proto__', 'constructor', 'toString',
        'main.default.handbook%20'].map((name) => ({ target: `/api/api/2.0/vector-search/indexes/${name}/query`, body: query })),
      { target: completions, body: { messages: [] } },
      { target: '/api/serving-endpoints/completions', body: { model: ENDPOINT, prompt: 'x' } },
      { target: `/api/serving-endpoints/${ENDPOINT}/served-models/x/invocations`, body: { messages: [] } },
      { target: `/api/api/2.0/vector-search/indexes/${INDEX}/scan`, body: {} },
      { target: `/api/api/2.0/vector-search/indexes/${INDEX}/upsert-data`, body: { inputs_json: '[]' } },
    ],
  },
  {
    title: 'methods beside those of a route are refused',
    refused: [400, 405],
    requests: [
      ...['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'].map((method) => ({ method, target: program })),
      ...['POST', 'PUT', 'DELETE', 'HEAD'].map((method) => ({ method, target: '/api/programs' })),
      { method: 'GET', target: completions },
      // What a proxy may be made to take for another method is not looked at.
      { method: 'GET', target: program, headers: [['x-http-method-override', 'POST'], ['x-method-override', 'POST']] },
    ],
  },
  {
    title: 'pages of other origins are refused',
    refused: [403],
    requests: [
      ...['null', 'https://evil.example', 'http://evil.example:80', 'file://', '{scheme}://{host}.evil.example',
        '{scheme}://evil.example/{host}', '{scheme}://{host}@evil.example', 'ftp://{host}', '{scheme}://{host}/',
        '{scheme}://{host}, https://evil.example', '{scheme}://x.{host}', 'https://{host}:1', '{SCHEME}://{host}', 'undefined']
        .map((origin) => asked(program, { headers: [['origin', origin]] })),
      { method: 'GET', target: '/api/programs', headers: [['origin', 'https://evil.example']] },
      { method: 'OPTIONS', target: program, headers: [['origin', 'https://evil.example'], ['access-control-request-method', 'POST']] },
      { method: 'OPTIONS', target: program, headers: [['origin', 'null'], ['access-control-request-method', 'POST'],
        ['access-control-request-private-network', 'true']] },
      // A page can leave out `Origin` (an image, a script, a link), but not this.
      ...['cross-site', 'same-site', 'Cross-Site', 'cross-site, same-origin'].map((site) => ({ method: 'GET', target: '/api/programs',
        headers: [['origin', null], ['sec-fetch-site', site]] })),
      asked(program, { headers: [['origin', null], ['sec-fetch-site', 'cross-site']] }),
    ],
  },
  {
    title: 'what a foreign form can send is refused',
    refused: [415],
    requests: [
      ...['text/plain', 'text/plain; application/json', 'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=application/json', 'application/jsonp', 'application/json, text/plain', 'text/html;application/json',
        '']
        .map((type) => asked(program, { headers: [['content-type', type]] })),
      asked(program, { headers: [['content-type', 'application/x-www-form-urlencoded']], body: '{"inputs":{"question":"Why?"},"x":"=1"}' }),
      { target: completions, headers: [['content-type', 'text/plain']], body: chat },
    ],
  },
  {
    title: 'JSON that plays tricks is refused',
    refused: [400],
    requests: [
      ...['', ' ', '{', '{}', '[]', 'null', '1', '"x"', '{"inputs":[]}', '{"inputs":null}', '{"inputs":"x"}', '{"inputs":{}}{"inputs":{}}',
        "{'inputs':{}}", '{"inputs":{},}', '\ufeff', 'NaN', '{"inputs":{"question":NaN}}', '{"inputs":{"question":1e}}']
        .map((body) => asked(program, { body })),
      ...['{"inputs":{"question":"Why?"},"__proto__":{"role":"hr"}}', '{"inputs":{"question":"Why?","__proto__":{"role":"hr"}}}',
        '{"inputs":{"question":"Why?","constructor":{"prototype":{"role":"hr"}}}}', '{"inputs":{"question":"Why?","role":"hr"}}',
        '{"inputs":{"question":"Why?","role":"employee","role":"hr"}}', '{"inputs":{"question":"Why?","r\\u006fle":"hr"}}',
        '{"inputs":{"question":"Why?"},"id":"admin"}']
        .map((body) => asked(program, { body })),
      asked(program, { body: `{"inputs":{"question":${deep(50_000)}}}` }),
      asked(program, { body: `{"inputs":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}` }),
      asked(program, { body: `{"inputs":{"question":${'['.repeat(100_000)}` }),
      { target: completions, body: `{"model":"chat","messages":${deep(50_000)}}` },
      { target: invocations, body: `{"messages":[],"inputs":${deep(50_000)}}` },
      { target: search, body: { ...query, filters_json: `{"region":${deep(50_000)}}` } },
      asked(program, { body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) }),
      asked(program, { body: Buffer.from([0xef, 0xbb, 0xbf, ...Buffer.from('{"inputs"')]) }),
      asked(program, { body: Buffer.from(JSON.stringify(question), 'utf16le') }),
      asked(program, { body: gzipSync(JSON.stringify(question)), headers: [['content-encoding', 'gzip']], refused: [400, 415] }),
    ],
  },
  {
    title: 'bodies larger than the limit are refused',
    refused: [413],
    requests: [
      asked(program, { body: `{"inputs":{"question":"${'a'.repeat(300_000)}"}}` }),
      asked(program, { body: '['.repeat(300_000) }),
      asked(program, { body: Buffer.alloc(300_000, 0xff) }),
    ],
  },
  {
    title: 'a relayed call may hold nothing that makes the endpoint reach out, or that is not known',
    refused: [400],
    requests: [
      ...[
        { type: 'image_url', image_url: { url: 'http://169.254.169.254/latest/meta-data' } },
        { type: 'image_url', image_url: 'https://evil.example/x.png' }, { type: 'image_url', image_url: { url: ['http://evil.example'] } },
        { type: 'input_image', image_url: 'https://evil.example/x.png' },
        { type: 'image', source: { type: 'url', url: 'https://evil.example/x.png' } },
        { type: 'image_url', image_url: { url: 'file:///etc/passwd' } },
        { type: 'video_url', video_url: { url: 'https://evil.example/x' } }, { type: 'file', file: { file_url: 'https://evil.example/x' } },
        { type: 'file', file: { file_id: 'file-of-somebody' } }, { type: 'audio_url', audio_url: { uri: 's3://bucket/x' } },
        { type: 'image_url', image_url: { url: ' data:image/png;base64,AA\nhttp://evil.example' } },
      ].map((part) => ({ target: completions, body: { ...chat, messages: [{ role: 'user',
        content: [{ type: 'text', text: 'See' }, part] }] } })),
      { target: invocations, body: { input: [{ role: 'user', content: [{ type: 'input_image',
        image_url: 'https://evil.example/x.png' }] }] } },
      { target: completions, body: { ...chat, messages: { 0: {} } } },
      { target: completions, body: { ...chat, messages: [{ role: 'user', content: { url: 'https://evil.example' } }] } },
      ...[{ type: 'mcp', server_url: 'https://evil.example' }, { type: 'web_search' }, null, 'function',
        { type: 'uc_function' }].map((tool) => ({ target: completions, body: { ...chat, tools: [tool] } })),
      ...['extra_headers', 'extra_body', 'api_base', 'base_url', 'databricks_options', 'user', 'metadata', 'safe_prompt',
        'enable_safety_filter', '__proto__', 'custom_inputs'].map((name) => ({ target: completions,
        body: `{"model":"chat","messages":[],${JSON.stringify(name)}:{}}` })),
      { target: invocations, body: { messages: [], model: 'other' } },
      { target: completions, body: '{"model":"chat","messages":[],"model":"other"}', refused: [400, 404] },
    ],
  },
  {
    title: 'filters of a page cannot widen what a user may see',
    refused: [400, 403],
    requests: [
      ...[{ audience: 'hr' }, { audience: ['hr'] }, { audience: null }, { 'audience NOT': 'x' }, { ' audience': 'hr' },
        { 'audience ': 'hr' }, { Audience: 'hr' }, { '`audience`': 'hr' }, { '"audience"': 'hr' }, { 'audience OR region': ['hr', 'EU'] },
        { 'region or AUDIENCE': ['EU', 'hr'] }, { 'audience\tLIKE': 'h' }, { 'audience\u00a0NOT': 'x' }, [{ audience: 'hr' }],
        'audience = "hr"', null, 1]
        .map((filters) => ({ target: search, body: { ...query, filters_json: JSON.stringify(filters) } })),
      ...[{ filters_json: { audience: 'hr' } }, { filters_json: '{' }, { filters: { audience: 'hr' } }, { filter_string: '1=1' },
        { reranker: {} }, { page_token: 'x' }].map((more) => ({ target: search, body: { ...query, ...more } })),
    ],
  },
];

/** Who is not signed in, or no longer, or says so himself. `{...}` is filled in by the runner. */
export const strangers = {
  title: 'sessions that are missing, expired, closed, changed or made up are refused',
  refused: [401],
  requests: [
    asked(program, { headers: [['cookie', '']] }),
    ...['expired', 'idle', 'closed', 'altered', 'unsigned', 'foreign', 'doubled',
      'renamed'].map((kind) => asked(program, { headers: [['cookie', `{${kind}}`]] })),
    { target: completions, headers: [['cookie', '{closed}']], body: chat },
    { target: search, headers: [['cookie', '{expired}']], body: query },
    asked(program, { headers: [['cookie', ''], ['authorization', 'Bearer x'], ['x-forwarded-user', 'admin'], ['x_forwarded_user', 'admin'],
      ['x-forwarded-email', 'a@b.example'], ['x-original-user', 'admin'], ['remote-user', 'admin']] }),
    asked(program, { headers: [['cookie', '']], body: { ...question, user: { id: 'admin', role: 'hr' } } }),
  ],
};

const head = (line, ...headers) => [line, ...headers, '', ''].join('\r\n');
const post = (...headers) => head(`POST ${program} HTTP/1.1`, 'Host: {host}', '{signedIn}', 'Content-Type: application/json',
  'Connection: close', ...headers);
const get = (target, ...headers) => head(`GET ${target} HTTP/1.1`, ...(headers.length > 0 ? headers : ['Host: {host}']),
  'Connection: close');
const text = JSON.stringify(question);
const chunked = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

/** Bytes that an HTTP server must not hand to a gateway. Where the server is not ours, its makers answer for them. */
export const wire = [
  {
    title: 'request targets and hosts that have no single meaning are refused by the server',
    refused: [400, 421],
    requests: [
      ...['http://evil.example/api/programs', 'https://{host}/api/programs', '//evil.example/api/programs', '/\\evil.example/api/programs',
        '/api/../api/programs', '/api/./programs', '/x/%2e%2e/api/programs', '/x/.%2E/api/programs', '/%2e/api/programs', '/api/programs\\',
        '/api\\programs', '/api/programs#x', '*', 'api/programs', '/api/prog\trams', '/api/programs\u00e9', '/..', '?x']
        .map((target) => get(target)),
      ...['evil.example', 'evil.example:{port}', '{host}@evil.example', '{host}.evil.example', 'evil.example/{host}', ':x@{host}',
        'x@{host}', '{host}/x', '{host}?x', '{host}#x', '{host}, evil.example', '', ' ', '[::1', '127.0.0.1:99999', '0x7f.1:{port}',
        '127.0.0.1.:{port}', 'loc\talhost']
        .map((host) => get('/api/programs', `Host: ${host}`)),
      get('/api/programs', 'Host: {host}', 'Host: evil.example'),
      get('/api/programs', 'Host: evil.example', 'Host: {host}'),
      get('/api/programs', 'X-Forwarded-Host: {host}'),
      get('/api/programs', 'Host: evil.example', 'X-Forwarded-Host: {host}'),
      'GET /api/programs HTTP/1.0\r\n\r\n',
      'GET /api/programs\r\n\r\n',
    ],
  },
  {
    title: 'requests whose end could be read in two ways are refused by the server',
    refused: [400, 501],
    requests: [
      post('Content-Length: 5', `Content-Length: ${text.length}`) + text,
      post(`Content-Length: ${text.length}, 5`) + text,
      post('Content-Length: +5') + text,
      post('Content-Length: 0x5') + text,
      post('Content-Length: -1') + text,
      post('Content-Length: 5', 'Transfer-Encoding: chunked') + chunked,
      post('Transfer-Encoding: chunked', 'Content-Length: 5') + chunked,
      post('Transfer-Encoding: xchunked') + chunked,
      post('Transfer-Encoding: chunked, identity') + chunked,
      post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + chunked,
      post('Transfer-Encoding : chunked') + chunked,
      post('Transfer-Encoding: chunked') + `zz\r\n${text}\r\n0\r\n\r\n`,
      post('Transfer-Encoding: chunked') + `${text.length.toString(16)} ;x\r\n${text}\r\n0\r\n\r\n`,
      post('Transfer-Encoding: chunked') + `-1\r\n${text}\r\n0\r\n\r\n`,
      post('X-Folded: a', ' b', `Content-Length: ${text.length}`) + text,
      post('X-Bare: a\nX-More: b', `Content-Length: ${text.length}`) + text,
      post('X-Bare: a\rX-More: b', `Content-Length: ${text.length}`) + text,
      post('X-Null: a\0b', `Content-Length: ${text.length}`) + text,
      post('X Name: a', `Content-Length: ${text.length}`) + text,
      post(': a', `Content-Length: ${text.length}`) + text,
    ],
  },
  {
    title: 'more headers than a request needs are refused by the server',
    refused: [400, 431],
    requests: [post(`X-Large: ${'a'.repeat(70_000)}`), post(...Array.from({ length: 5000 }, (_, i) => `X-${i}: ${'a'.repeat(20)}`)),
      get(`/api/${'a'.repeat(70_000)}`)],
  },
  {
    title: 'methods that are for proxies are refused by the server',
    refused: [400, 405],
    requests: [head('TRACE /api/programs HTTP/1.1', 'Host: {host}', 'Connection: close'),
      head('CONNECT evil.example:443 HTTP/1.1', 'Host: {host}', 'Connection: close'),
      head('CONNECT /api/programs HTTP/1.1', 'Host: {host}', 'Connection: close'),
      head('BREW /api/programs HTTP/1.1', 'Host: {host}', 'Connection: close'), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  },
];

/** Headers that must make no difference, whatever they are called. */
export const harmless = ['__proto__: x', 'constructor: x', 'toString: x', 'X-Forwarded-For: 1.2.3.4', 'X-Original-URL: /admin',
  'X-Rewrite-URL: /admin', 'Upgrade: h2c', 'Expect: 100-continue', 'Trailer: Origin', 'X_Origin: https://evil.example']
  .map((header) => get('/api/programs', 'Host: {host}', header));
