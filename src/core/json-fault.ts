/** Where a text stops being JSON. Lines and columns count from 1. */
export interface JsonFault {
  line: number;
  column: number;
  /** What stands there and what should. */
  message: string;
}

const SPACE = /[ \t\n\r]*/y;
const TOKEN =
  /[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** How much of the text around a fault is shown. */
const SHOWN_CHARS = 20;

type Expected = "value" | "value or ]" | "key or }" | "key" | ":" | ", or }" | ", or ]" | "end of file";

/**
 * Finds the place where `text` breaks the rules of JSON; undefined when it does not. JSON.parse tells the place only
 * sometimes, and for a file written by hand the place is what matters.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
    if (at >= text.length) return expected === "end of file" ? undefined : fault(text, at, expected);
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    const next: Expected | undefined = token === undefined ? undefined : step(token, expected, open);
    if (token === undefined || next === undefined) return fault(text, at, expected);
    at += token.length;
    expected = next;
  }
}

/** What may follow after `token`, or undefined where `token` itself may not stand. Keeps `open` up to date. */
function step(token: string, expected: Expected, open: ("{" | "[")[]): Expected | undefined {
  const afterValue = (): Expected => {
    const inside = open.at(-1);
    if (inside === undefined) return "end of file";
    return inside === "{" ? ", or }" : ", or ]";
  };
  const close = (): Expected => {
    open.pop();
    return afterValue();
  };
  switch (token) {
    case "{":
    case "[":
      if (!expected.startsWith("value")) return undefined;
      open.push(token);
      return token === "{" ? "key or }" : "value or ]";
    case "}":
      return expected === "key or }" || expected === ", or }" ? close() : undefined;
    case "]":
      return expected === "value or ]" || expected === ", or ]" ? close() : undefined;
    case ",":
      if (expected === ", or }") return "key";
      return expected === ", or ]" ? "value" : undefined;
    case ":":
      return expected === ":" ? "value" : undefined;
    default:
      if (token.startsWith('"') && expected.startsWith("key")) return ":";
      return expected.startsWith("value") ? afterValue() : undefined;
  }
}

function fault(text: string, at: number, expected: Expected): JsonFault {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  const column = at - before.lastIndexOf("\n");
  const found = at >= text.length ? "the end of the file" : JSON.stringify(text.slice(at, at + SHOWN_CHARS));
  return { line, column, message: `expected ${expected}, found ${found}` };
}
