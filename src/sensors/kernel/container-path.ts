import type { PathText } from "./record.ts";

/** `//`, `/./`, `/../`, and a slash or dots at the end: what a clean path does not have. */
const UNCLEAN = /\/(?:\.{0,2})(?:\/|$)/;

/**
 * The absolute path that a call on a name was about, as the container sees it. Names in Linux are bytes without an
 * encoding, so it works on bytes. `..` is taken out by text: a link before it may lead elsewhere.
 */
export function containerPath({ base, name }: PathText): Buffer {
  const isAbsolute = name[0] === SLASH;
  if (base === undefined || isAbsolute) return isAbsolute ? cleaned(name) : name;
  if (name.length === 0) return cleaned(base);
  return cleaned(Buffer.concat([base, SLASH_BYTES, name]));
}

const SLASH = 0x2f;
const SLASH_BYTES = Buffer.from("/");

function cleaned(path: Buffer): Buffer {
  // One byte, one character: nothing is lost on the way there and back.
  const text = path.toString("latin1");
  if (text[0] !== "/" || !UNCLEAN.test(text)) return path;
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return Buffer.from(`/${parts.join("/")}`, "latin1");
}
