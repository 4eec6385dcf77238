import { invalid } from './errors.js';

// Characters that no name of a program, an endpoint or an index has, and that other readers of a path may take for its structure.
const FORBIDDEN = /[/\\@%?#\u0000-\u001f\u007f]/;

/**
 * The decoded segments of a request's path below `basePath`; undefined when it is not below it.
 *
 * A path that two readers could understand differently is refused, not cleaned: empty segments, dots, encoded
 * slashes, backslashes, `@`.
 */
export function readPath(url: URL, basePath: string): string[] | undefined {
  if (!url.pathname.startsWith(`${basePath}/`)) return undefined;
  if (url.href.includes('?')) throw invalid('The gateway takes no query parameters.', 'Put what you mean into the body.');
  return url.pathname.slice(basePath.length + 1).split('/').map(readSegment);
}

function readSegment(encoded: string): string {
  let segment;
  try {
    segment = decodeURIComponent(encoded);
  } catch {
    throw invalid('The path of the request is not encoded rightly.');
  }
  if (segment === '' || segment === '.' || segment === '..' || FORBIDDEN.test(segment)) {
    throw invalid('The path of the request has a segment that names nothing.');
  }
  return segment;
}
