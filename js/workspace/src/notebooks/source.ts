/**
 * Notebooks as Databricks writes them to files: plain source with a first line that says so, cells between `COMMAND` lines,
 * and cells of another language behind `MAGIC`, all three in comments of the notebook's language.
 */
export type Language = "PYTHON" | "SQL" | "SCALA" | "R";

export const LANGUAGES: Record<Language, { extension: string; comment: string }> = {
  PYTHON: { extension: "py", comment: "#" },
  SQL: { extension: "sql", comment: "--" },
  SCALA: { extension: "scala", comment: "//" },
  R: { extension: "r", comment: "#" },
};

/** A cell: its text, and the magic command it begins with (`sql` for `%sql`), if any. */
export interface Cell {
  magic?: string;
  text: string;
}

const header = (language: Language) => `${LANGUAGES[language].comment} Databricks notebook source`;

/** The language of a file whose extension and first line are those of a notebook. */
export function notebookLanguage(extension: string, text: string): Language | undefined {
  const language = languageOf(extension);
  return language && text.startsWith(header(language)) ? language : undefined;
}

/** The language that a file extension, without its dot, stands for. */
export function languageOf(extension: string): Language | undefined {
  return (Object.keys(LANGUAGES) as Language[]).find((name) => LANGUAGES[name].extension === extension.toLowerCase());
}

/** The source of a notebook with its first line. */
export function withHeader(language: Language, text: string): string {
  return text.startsWith(header(language)) ? text : `${header(language)}\n${text}`;
}

/** Takes a notebook's source apart. */
export function readCells(language: Language, source: string): Cell[] {
  const { comment } = LANGUAGES[language];
  const lines = source.replace(/\r\n/g, "\n").split("\n");
  if (lines[0]?.trimEnd() === header(language)) lines.shift();
  const cells: string[][] = [[]];
  for (const line of lines) {
    if (line.trimEnd() === `${comment} COMMAND ----------`) cells.push([]);
    else cells.at(-1)?.push(line);
  }
  return cells.map((cell) => readCell(comment, cell)).filter(({ text, magic }) => text.trim() !== "" || magic !== undefined);
}

function readCell(comment: string, lines: string[]): Cell {
  const prefix = `${comment} MAGIC`;
  const text = lines
    .filter((line) => !line.startsWith(`${comment} DBTITLE`))
    .map((line) => (line.startsWith(prefix) ? line.slice(prefix.length).replace(/^ /, "") : line))
    .join("\n")
    .replace(/^\n+|\s+$/g, "");
  const magic = /^%([a-z-]+)[ \t]*\n?/.exec(text);
  return magic ? { magic: magic[1] as string, text: text.slice(magic[0].length) } : { text };
}

/** Puts cells together to a notebook's source. */
export function writeCells(language: Language, cells: Cell[]): string {
  const { comment } = LANGUAGES[language];
  const written = cells.map(({ magic, text }) => {
    if (magic === undefined) return text;
    const lines = `%${magic}${text.includes("\n") ? "\n" : " "}${text}`.split("\n");
    return lines.map((line) => `${comment} MAGIC ${line}`.trimEnd()).join("\n");
  });
  return `${header(language)}\n${written.join(`\n\n${comment} COMMAND ----------\n\n`)}\n`;
}
