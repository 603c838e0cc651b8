// What steers a terminal instead of being shown on it. Rule: one list, for words of others that a person is shown, on one line or on several.

/** What would move the cursor, break the line, or turn the direction (UAX #9). */
const STEERING = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** `text` as it may be shown on one line. */
export function clean(text: string): string {
  return text.replace(STEERING, '?');
}

/** As `clean`, on several lines: tabs and line feeds stay, and any other end of a line becomes one. */
export function cleanLines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(STEERING, (sign) => (sign === '\t' || sign === '\n' ? sign : '?'));
}
