/** A passage of a document: the heading it stands under (nested ones joined by " > "), and its Markdown. */
export interface Passage {
  heading: string;
  text: string;
}

/**
 * The length that passages stay under where the text lets them. Short ones leave a small model less to read, and lose nothing:
 * of the handbook's 24 questions, the passage that states the fact stands first 17 times, with this length and with the double.
 */
export const PASSAGE_LENGTH = 450;

/** Text before the first heading that is shorter than this joins the section after it: alone it says nothing. */
const SHORT_INTRODUCTION = 200;

/** Splits Markdown at its headings, and long sections between paragraphs, list items, table rows or sentences. */
export function splitPassages(markdown: string): Passage[] {
  return joinIntroduction(sections(markdown)).flatMap(({ heading, blocks }) =>
    group(blocks.flatMap(splitBlock), "\n\n").map((text) => ({ heading, text })),
  );
}

interface Section {
  heading: string;
  /** Paragraphs, lists, tables and code: what blank lines separate. */
  blocks: string[];
}

function joinIntroduction([introduction, next, ...rest]: Section[]): Section[] {
  if (!introduction || !next) return introduction ? [introduction] : [];
  if (introduction.blocks.join().length >= SHORT_INTRODUCTION) return [introduction, next, ...rest];
  return [{ heading: next.heading, blocks: [...introduction.blocks, ...next.blocks] }, ...rest];
}

/** The sections in their order, the first being what comes before any heading but the document's title. */
function sections(markdown: string): Section[] {
  const path: string[] = [];
  const found: Section[] = [{ heading: "", blocks: [] }];
  let block: string[] = [];
  let fence = "";
  const endBlock = () => {
    if (block.length > 0) found.at(-1)?.blocks.push(block.join("\n"));
    block = [];
  };
  for (const line of markdown.split("\n")) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1] ?? "";
    if (fence === "" && mark !== "") fence = mark;
    else if (fence !== "" && mark.startsWith(fence)) fence = "";
    const [, hashes, text = ""] = (fence === "" && /^(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line)) || [];
    if (hashes === "#" && found.length === 1 && found[0]?.blocks.length === 0 && block.length === 0) {
      continue; // the title
    }
    if (hashes !== undefined) {
      endBlock();
      const skipped = Array<string>(Math.max(0, hashes.length - 1 - path.length)).fill("");
      path.splice(hashes.length - 1, Infinity, ...skipped, text);
      const heading = path.filter((part) => part !== "").join(" > ");
      found.push({ heading, blocks: [] });
    } else if (line.trim() === "" && fence === "") {
      endBlock();
    } else {
      block.push(line.trimEnd());
    }
  }
  endBlock();
  return found.map(({ heading, blocks }) => ({ heading, blocks: joinLists(blocks) }));
}

/** A blank line between two items does not end a list. */
function joinLists(blocks: string[]): string[] {
  const joined: string[] = [];
  for (const block of blocks) {
    const previous = joined.at(-1);
    if (previous !== undefined && isList(previous) && (isList(block) || /^\s{2,}\S/.test(block))) {
      joined[joined.length - 1] = `${previous}\n${block}`;
    } else {
      joined.push(block);
    }
  }
  return joined;
}

const ITEM = /^\s{0,3}([-*+]|\d+[.)])\s/;
const isList = (block: string) => ITEM.test(block);
const isTable = (block: string) => /^\s*\|.*\n\s*\|?[\s:|-]+$/m.test(block);
const isCode = (block: string) => /^\s*(```|~~~)/.test(block);

/** The parts of a block that is too long for one passage, and how to join them; other blocks stay whole. */
function splitBlock(block: string): string[] {
  if (block.length <= PASSAGE_LENGTH) return [block];
  if (isTable(block)) return splitTable(block);
  if (isList(block)) return group(items(block).flatMap(splitSentences), "\n");
  if (isCode(block)) return group(block.split("\n").flatMap((line) => hardSplit(line)), "\n");
  return splitSentences(block);
}

/** Every part of a table repeats its header, unless that alone fills a passage. */
function splitTable(table: string): string[] {
  const lines = table.split("\n");
  const header = `${lines.slice(0, 2).join("\n")}\n`;
  const room = PASSAGE_LENGTH - header.length;
  if (room < PASSAGE_LENGTH / 2) return group(lines.flatMap((line) => hardSplit(line)), "\n");
  const rows = lines.slice(2).flatMap((row) => hardSplit(row, room));
  return group(rows, "\n", room).map((part) => header + part);
}

function items(list: string): string[] {
  const found: string[] = [];
  for (const line of list.split("\n")) {
    if (ITEM.test(line) || found.length === 0) found.push(line);
    else found[found.length - 1] += `\n${line}`;
  }
  return found;
}

const sentences = new Intl.Segmenter("en", { granularity: "sentence" });

function splitSentences(text: string): string[] {
  if (text.length <= PASSAGE_LENGTH) return [text];
  const parts = [...sentences.segment(text)].flatMap(({ segment }) => hardSplit(segment.trim()));
  return group(parts, " ");
}

/** A sentence or line that is too long is cut between words, or anywhere if it has none. */
function hardSplit(text: string, limit = PASSAGE_LENGTH): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > limit) {
    const space = rest.lastIndexOf(" ", limit);
    const end = space > 0 ? space : limit;
    parts.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return rest === "" ? parts : [...parts, rest];
}

/** Joins neighbours as long as they stay within the limit. */
function group(parts: string[], glue: string, limit = PASSAGE_LENGTH): string[] {
  const groups: string[] = [];
  for (const part of parts) {
    const previous = groups.at(-1);
    if (previous !== undefined && previous.length + glue.length + part.length <= limit) groups[groups.length - 1] = previous + glue + part;
    else groups.push(part);
  }
  return groups;
}
