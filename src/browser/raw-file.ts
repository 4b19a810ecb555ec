import * as fs from "node:fs";
import { Readable } from "node:stream";
import type { OpenCapture } from "../evidence/reader.ts";
import { openRegular } from "../evidence/reader-path.ts";
import type { TextRangeAnswer } from "./api.ts";

const MAX_RANGE_BYTES = 1 << 20;

/** A file of a capture as a download: plain text by type, so that no browser ever runs it. `undefined`: no such file. */
export function rawFile(capture: OpenCapture, file: string): Response | undefined {
  const opened = openRegular(capture.dir, file);
  if (!opened.ok) return undefined;
  const { fd, sizeBytes } = opened;
  const stream = fs.createReadStream("", { fd, end: Math.max(sizeBytes - 1, 0) });
  const body = sizeBytes === 0 ? null : Readable.toWeb(stream);
  if (body === null) stream.destroy();
  const name = encodeURIComponent(`${capture.name}-${file.replaceAll("/", "-")}`).replaceAll("'", "%27");
  return new Response(body as ReadableStream | null, {
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": String(sizeBytes),
      "Content-Disposition": `attachment; filename*=UTF-8''${name}`,
    },
  });
}

/** The bytes `start` to `end` of a file as text, at most 1 MiB, without half characters at the end. */
export function textRange(capture: OpenCapture, file: string, start: number, end: number): TextRangeAnswer | undefined {
  const opened = openRegular(capture.dir, file);
  if (!opened.ok) return undefined;
  try {
    const { fd, sizeBytes } = opened;
    const from = Math.min(Math.max(start, 0), sizeBytes);
    const to = Math.min(Math.max(end, from), sizeBytes, from + MAX_RANGE_BYTES);
    const buffer = Buffer.alloc(to - from);
    const bytes = buffer.length === 0 ? 0 : fs.readSync(fd, buffer, 0, buffer.length, from);
    const whole = from + bytes >= sizeBytes ? bytes : wholeCharacters(buffer.subarray(0, bytes));
    return { text: buffer.toString("utf8", 0, whole), start: from, end: from + whole, sizeBytes };
  } finally {
    fs.closeSync(opened.fd);
  }
}

/** Length of the part that does not end in the middle of a UTF-8 character; the whole when it is no UTF-8 at all. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back && bytes.length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
