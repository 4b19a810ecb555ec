/**
 * A path with one character for each of its bytes: names in Linux have no encoding, and only so do two spellings of the
 * same bytes compare equal.
 */
export function exactPath(text: string, base64: string | undefined): string {
  if (base64 !== undefined) return Buffer.from(base64, "base64").toString("latin1");
  return isAscii(text) ? text : Buffer.from(text).toString("latin1");
}

/** For reading again. */
export function readablePath(exact: string): string {
  return isAscii(exact) ? exact : Buffer.from(exact, "latin1").toString("utf8");
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
