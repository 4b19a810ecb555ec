import * as fs from "node:fs";
import * as path from "node:path";
import { type CaptureEvent, captureEvent } from "../../src/schema/event.ts";

/** One call on the file system, as a program of the container would make it. Paths are relative to the tree. */
export type FileAction =
  | { call: "write"; at: string; content: string; append: boolean }
  | { call: "mkdir" | "rmdir" | "unlink"; at: string }
  | { call: "rename" | "link"; at: string; to: string }
  | { call: "symlink"; at: string; text: string }
  | { call: "chmod"; at: string; mode: number }
  | { call: "truncate"; at: string; size: number };

const TREE = "/workspace";

/** Does calls in a directory of this machine and tells of them as the kernel sensor would: names as they were passed, files by their real place. */
export class FileActions {
  readonly events: CaptureEvent[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** A call that does not fit the tree fails, as it would for a program; it is told of then too. */
  do(action: FileAction): void {
    const path1 = { path: `${TREE}/${action.at}` };
    try {
      if (action.call === "write") return this.#write(action);
      this.#act(action);
      this.#tell({ kind: `file.${action.call}`, ...path1, ...detailsOf(action) });
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code;
      if (action.call !== "write") this.#tell({ kind: `file.${action.call}`, ...path1, ...detailsOf(action), errno });
    }
  }

  #act(action: Exclude<FileAction, { call: "write" }>): void {
    const at = path.join(this.#root, action.at);
    switch (action.call) {
      case "mkdir":
        return void fs.mkdirSync(at);
      case "rmdir":
        return fs.rmdirSync(at);
      case "unlink":
        return fs.unlinkSync(at);
      case "rename":
        return fs.renameSync(at, path.join(this.#root, action.to));
      case "link":
        return fs.linkSync(at, path.join(this.#root, action.to));
      case "symlink":
        return fs.symlinkSync(action.text, at);
      case "chmod":
        return fs.chmodSync(at, action.mode);
      case "truncate":
        return fs.truncateSync(at, action.size);
    }
  }

  #write({ at, content, append }: FileAction & { call: "write" }): void {
    const file = path.join(this.#root, at);
    const before = fs.statSync(file, { throwIfNoEntry: false });
    const opened = fs.openSync(file, append ? "a" : "w");
    try {
      const real = `${TREE}${fs.realpathSync(file).slice(this.#root.length)}`;
      const told = before === undefined ? { created: true } : append ? {} : { emptied: true };
      this.#tell({ kind: "file.open", path: real, access: "write", ...told, ...identity(fs.fstatSync(opened)) });
      fs.writeSync(opened, content);
      this.#tell({ kind: "file.close-write", path: real, ...identity(fs.fstatSync(opened)) });
    } finally {
      fs.closeSync(opened);
    }
  }

  #tell(event: Record<string, unknown>): void {
    const seq = this.events.length;
    const head = { seq, mono_ns: seq, time: "2026-11-23T00:00:00.000Z", source: "kernel", process: "7-1" };
    this.events.push(captureEvent.parse({ ...head, ...event }));
  }
}

function detailsOf(action: FileAction): Record<string, unknown> {
  switch (action.call) {
    case "rename":
    case "link":
      return { to: `${TREE}/${action.to}` };
    case "symlink":
      return { link_text: action.text };
    case "chmod":
      return { mode: action.mode.toString(8) };
    case "truncate":
      return { size: action.size };
    case "mkdir":
      return { mode: "0755" };
    default:
      return {};
  }
}

function identity({ ino, mode, size, nlink }: fs.Stats): Record<string, unknown> {
  return { inode: ino, device: "0:1", mode: mode.toString(8), size, links: nlink };
}
