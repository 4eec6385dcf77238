// The built page, from memory: what is not a file of the build does not exist, whatever a path says.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * A handler for the files in a folder.
 *
 * @param {string} folder
 * @returns {Promise<(request: Request) => Promise<Response>>}
 */
export async function openSite(folder) {
  const files = await readFiles(folder);
  if (!files.has('/index.html')) throw new Error(`There is no page in ${folder}. Build it: npm run build --workspace lakelet-www`);
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'Use GET.', { allow: 'GET, HEAD' });
    const { pathname } = new URL(request.url);
    const file = files.get(pathname === '/' ? '/index.html' : pathname);
    if (!file) return plain(404, 'There is no such page.');
    // Names under /assets/ change with their contents.
    const cache = pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    return new Response(file.bytes, { headers: { ...HEADERS, 'content-type': file.type, 'cache-control': cache } });
  };
}

async function readFiles(folder) {
  const files = new Map();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const type = TYPES[extname(path)];
    if (!type) throw new Error(`The page has a file whose type the server does not know: ${path}`);
    files.set(`/${relative(folder, path).split(sep).join('/')}`, { bytes: await readFile(path), type });
  }
  return files;
}

function plain(status, text, headers = {}) {
  return new Response(text, { status, headers: { ...HEADERS, ...headers, 'content-type': 'text/plain; charset=utf-8' } });
}
