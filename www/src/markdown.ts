import DOMPurify from 'dompurify';
import { marked } from 'marked';

// An answer is a model's text: it may format, and nothing else. Links and images are left out, because a link is how injected
// text would send the reader, or what the reader knows, somewhere else.
const ALLOWED_TAGS = ['p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'ul', 'ol', 'li', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'blockquote', 'h1', 'h2', 'h3', 'h4', 'hr'];

/** Markdown as HTML that is safe to put on the page. */
export function toSafeHtml(markdown: string): string {
  const html = marked.parse(markdown, { async: false, gfm: true, breaks: true });
  return DOMPurify.sanitize(html, { ALLOWED_TAGS, ALLOWED_ATTR: ['start'] });
}
