import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import * as zlib from "node:zlib";
import { errorMessage } from "../../core/errors.ts";
import { UpstreamError } from "../upstream.ts";
import type { SecretRedactor } from "./redact-secret.ts";

export interface ReadAnswerOptions {
  /** `content-encoding`, or null where the answer is not packed. */
  encoding: string | null;
  redactor: SecretRedactor;
  /** Most bytes of an answer, unpacked. */
  answerBytes: number;
  silenceMs: number;
}

/**
 * An answer's bytes as they come, unpacked and without the key. Memory stays bounded: nothing is read ahead of what is
 * passed on. Ending the loop early closes the connection.
 * @throws UpstreamError when the answer breaks off, falls silent, can't be unpacked or grows too large.
 */
export async function* readAnswer(answer: IncomingMessage, options: ReadAnswerOptions): AsyncGenerator<Uint8Array> {
  const { redactor, answerBytes, silenceMs } = options;
  let bytes = 0;
  let silent = false;
  const onSilence = (): void => {
    silent = true;
    answer.destroy();
  };
  answer.setTimeout(silenceMs, onSilence);
  try {
    for await (const piece of unpacked(answer, options.encoding)) {
      const chunk = piece as Buffer;
      bytes += chunk.length;
      if (bytes > answerBytes) {
        throw new UpstreamError("model-broke-off", 502, `the answer is larger than ${answerBytes} bytes`);
      }
      const clean = redactor.push(chunk);
      if (clean.length > 0) yield clean;
    }
    const rest = redactor.end();
    if (rest.length > 0) yield rest;
  } catch (error) {
    if (silent) throw new UpstreamError("model-timeout", 504, `the model was silent for ${silenceMs / 1000} s`);
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError("model-broke-off", 502, `the answer broke off: ${errorMessage(error)}`, error);
  } finally {
    answer.destroy();
  }
}

function unpacked(answer: IncomingMessage, encoding: string | null): Readable {
  if (encoding === null) return answer;
  const unpacker = unpackerFor(encoding);
  // What goes wrong on either side is thrown where the unpacked bytes are read.
  pipeline(answer, unpacker, () => {});
  return unpacker;
}

function unpackerFor(encoding: string): zlib.Gunzip | zlib.Inflate | zlib.BrotliDecompress | zlib.ZstdDecompress {
  const flush = zlib.constants.Z_SYNC_FLUSH;
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip({ flush });
    case "deflate":
      return zlib.createInflate({ flush });
    case "br":
      return zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH });
    case "zstd":
      return zlib.createZstdDecompress();
    default:
      throw new UpstreamError(
        "model-error",
        502,
        `the answer is packed in a way that is not known: ${encoding.slice(0, 40)}`,
      );
  }
}
