// The built page, served from memory: what is not a file of the build does not exist, whatever a path says.

const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/**
 * A handler for the files of the build.
 *
 * @param {Map<string, ArrayBuffer | Uint8Array>} files by path; `/_headers` says which headers the others go out with, as Cloudflare reads it
 * @returns {(request: Request) => Response}
 */
export function servePage(files) {
  const rules = readRules(new TextDecoder().decode(files.get('/_headers')));
  for (const path of files.keys()) {
    if (path !== '/_headers' && !typeOf(path)) throw new Error(`The page has a file whose type the server does not know: ${path}`);
  }
  return (request) => {
    const { pathname } = new URL(request.url);
    const headers = headersFor(pathname, rules);
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'Use GET.', { ...headers, allow: 'GET, HEAD' });
    const path = pathname === '/' ? '/index.html' : pathname;
    const type = typeOf(path);
    const bytes = type && files.get(path);
    if (!bytes) return plain(404, 'There is no such page.', headers);
    return new Response(bytes, { headers: { 'cache-control': 'no-cache', ...headers, 'content-type': type } });
  };
}

const typeOf = (path) => TYPES[path.split('.').at(-1)];

/** The beginning of paths and `*`; on the lines below it what their headers are. */
function readRules(text) {
  const rules = [];
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s+([\w-]+):\s*(.*)$/.exec(line) ?? [];
    if (name) rules.at(-1).headers[name.toLowerCase()] = value;
    else if (line.startsWith('/')) rules.push({ start: line.trim().replace('*', ''), headers: {} });
  }
  return rules;
}

function headersFor(path, rules) {
  return Object.assign({}, ...rules.filter(({ start }) => path.startsWith(start)).map(({ headers }) => headers));
}

function plain(status, text, headers) {
  return new Response(text, { status, headers: { ...headers, 'cache-control': 'no-cache', 'content-type': 'text/plain; charset=utf-8' } });
}
