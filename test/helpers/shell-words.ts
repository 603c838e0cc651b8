// What a shell makes of a simple line. Rule: quotes and nothing else; a line that needs more is an error.

/** @throws when the line needs a real shell */
export function splitWords(line: string): string[] {
  const words = line.match(/'[^']*'|"[^"$`\\]*"|[^\s'"$`\\|;&<>()]+/g) ?? [];
  if (words.join('').length !== line.replaceAll(/\s+(?=(?:[^'"]|'[^']*'|"[^"]*")*$)/g, '').length) throw new Error(`not a simple line: ${line}`);
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
}
