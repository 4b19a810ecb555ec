import { isUtf8 } from "node:buffer";

/** As git does: a NUL byte near the beginning means binary. */
const LOOK_FOR_NUL_BYTES = 8000;

/** Whether a content can be shown as lines of text. */
export function isText(content: Buffer): boolean {
  return !content.subarray(0, LOOK_FOR_NUL_BYTES).includes(0) && isUtf8(content);
}
