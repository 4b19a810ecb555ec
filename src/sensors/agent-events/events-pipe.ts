import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import { CaptureError, errnoOf, errorMessage } from "../../core/errors.ts";

const STICKY_OR_WORLD_WRITABLE = 0o1002;
const CHUNK_BYTES = 1 << 16;

/**
 * A named pipe that anybody may write to and only its owner may read. It is held open for reading and writing, so that it
 * never ends and no writer ever waits for a reader to come.
 */
export class EventsPipe {
  readonly #path: string;
  readonly #socket: net.Socket;
  readonly #onChunk: (chunk: Buffer) => void;
  failure: string | undefined;

  /** @throws CaptureError `write-failed` when the pipe can't be made. */
  constructor(path: string, directory: string, onChunk: (chunk: Buffer) => void) {
    makePipe(path, directory);
    this.#path = path;
    this.#onChunk = onChunk;
    const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    this.#socket = new net.Socket({ fd, readable: true, writable: false, onread: readInto(onChunk) });
    this.#socket.on("error", (error) => {
      this.failure = errorMessage(error);
    });
  }

  /**
   * Takes what still stands in the pipe and closes it. Everything happens in one go, so that nothing is read by a side
   * that has stopped listening. A writer that never stops is cut off after `maxBytes`.
   * @returns false when it was cut off.
   */
  close(maxBytes: number): boolean {
    let fd: number | undefined;
    try {
      fd = fs.openSync(this.#path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
      this.#socket.pause();
      return this.#drain(fd, maxBytes);
    } catch (error) {
      this.failure ??= errorMessage(error);
      return false;
    } finally {
      this.#socket.destroy();
      if (fd !== undefined) fs.closeSync(fd);
      fs.rmSync(this.#path, { force: true });
    }
  }

  #drain(fd: number, maxBytes: number): boolean {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let drained = 0; drained < maxBytes; ) {
      const count = readNow(fd, buffer);
      if (count === 0) return true;
      drained += count;
      this.#onChunk(buffer.subarray(0, count));
    }
    return false;
  }
}

/** One buffer for all reads: a flood would otherwise leave a heap of garbage behind. The chunk is valid during the call. */
function readInto(onChunk: (chunk: Buffer) => void): net.OnReadOpts {
  return {
    buffer: Buffer.allocUnsafe(CHUNK_BYTES),
    callback: (count, buffer) => {
      onChunk(Buffer.from(buffer.buffer, buffer.byteOffset, count));
      return true;
    },
  };
}

/** Bytes that are there now; 0 when the pipe is empty. */
function readNow(fd: number, buffer: Buffer): number {
  try {
    return fs.readSync(fd, buffer);
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return 0;
    throw error;
  }
}

function makePipe(path: string, directory: string): void {
  if ((fs.statSync(directory).mode & STICKY_OR_WORLD_WRITABLE) !== 0) {
    throw new CaptureError("write-failed", `${directory} is sticky or writable for everybody: pipes don't work there`, {
      hint: "the kernel refuses to open such a pipe (fs.protected_fifos); choose a capture root with ordinary rights",
    });
  }
  try {
    // Node can't make a pipe. With -m the mode does not depend on the umask.
    execFileSync("mkfifo", ["-m", "622", path], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new CaptureError("write-failed", `cannot make the pipe ${path}: ${errorMessage(error)}`, {
      cause: error,
      hint: "the file system of the capture root must support named pipes, and mkfifo (coreutils) must be installed",
    });
  }
}
