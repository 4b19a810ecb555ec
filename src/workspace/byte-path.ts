import { isUtf8 } from "node:buffer";

/** A path as text for reading, with its exact bytes (base64) where it is not valid UTF-8. */
export function displayPath(path: Buffer): { path: string; path_b64?: string } {
  const text = path.toString("utf8");
  return isUtf8(path) ? { path: text } : { path: text, path_b64: path.toString("base64") };
}
