import { isUtf8 } from "node:buffer";

type TextFields<N extends string> = Record<N, string> & Partial<Record<`${N}_b64`, string>>;

/** A key with the text for reading, and beside it `…_b64` with the exact bytes where they are not UTF-8. */
export function textFields<N extends string>(name: N, bytes: Buffer): TextFields<N> {
  const fields: Record<string, string> = { [name]: bytes.toString("utf8") };
  if (!isUtf8(bytes)) fields[`${name}_b64`] = bytes.toString("base64");
  // The keys are those two, which a computed key can't say.
  return fields as TextFields<N>;
}

const NUL = 0;

/** The entries of a block in which each ends with a NUL; what is left of a last one without its NUL too. */
export function splitBlock(block: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = block.indexOf(NUL); at !== -1; at = block.indexOf(NUL, start)) {
    parts.push(block.subarray(start, at));
    start = at + 1;
  }
  if (start < block.length) parts.push(block.subarray(start));
  return parts;
}

/** The arguments of a process for an event: exact where they are UTF-8, with the bytes beside where one is not. */
export function argvFields(parts: readonly Buffer[]): { argv: string[]; argv_b64?: string[] } {
  const argv = parts.map((part) => part.toString("utf8"));
  return parts.every((part) => isUtf8(part))
    ? { argv }
    : { argv, argv_b64: parts.map((part) => part.toString("base64")) };
}
