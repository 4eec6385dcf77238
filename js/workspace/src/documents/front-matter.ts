/** Who a document is for and where it comes from. */
export interface DocumentInfo {
  title: string;
  audience: string;
  region: string;
  department: string;
}

/**
 * Takes the front matter (`key: value` lines between two lines of `---`) off a Markdown document.
 *
 * Absent keys: everyone may read it, everywhere; the title is the first heading, or else `fallbackTitle`.
 */
export function readFrontMatter(source: string, fallbackTitle: string): { info: DocumentInfo; body: string } {
  const text = source.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const [all = "", block = ""] = /^---\n(.*?\n)?---[ \t]*(?:\n|$)/s.exec(text) ?? [];
  const values = new Map<string, string>();
  for (const line of block.split("\n")) {
    const [, key, value = ""] = /^([A-Za-z_-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined) values.set(key.toLowerCase(), value.replace(/^(["'])(.*)\1$/, "$2"));
  }
  const body = text.slice(all.length);
  return {
    info: {
      title: values.get("title") || /^#\s+(.+?)\s*#*$/m.exec(body)?.[1] || fallbackTitle,
      audience: values.get("audience") || "everyone",
      region: values.get("region") || "global",
      department: values.get("department") || "",
    },
    body,
  };
}
