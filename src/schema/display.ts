/**
 * Characters that do something instead of being seen: controls (Cc), format characters such as bidi marks and zero-width
 * joiners (Cf), line and paragraph separators (Zl, Zp), lone surrogates (Cs), and letters that are drawn as nothing.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|\u115f|\u1160|\u17b4|\u17b5|\u2065|\u3164|\uffa0/gu;

function mark(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
}

/** Text of unknown origin made safe to look at on one line: nothing in it can move a cursor or reorder what is read. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, mark);
}

/** The same for text of several lines: newlines and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(INVISIBLE, (char) => (char === "\n" || char === "\t" ? char : mark(char)));
}

/** JSON with an indent of two in which such characters stand as escapes: the same value, safe to print on a terminal. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(INVISIBLE, (char) => (char === "\n" ? char : escaped(char)));
}

function escaped(char: string): string {
  return char
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** At most `max` characters, with an ellipsis where it was cut. */
export function shorten(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, Math.max(0, max - 1))}…`;
}
