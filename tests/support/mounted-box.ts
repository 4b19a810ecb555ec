import { type ChildProcessByStdio, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";

/**
 * A shell in a mount namespace of its own, in which a directory of the host stands under another name, as the working copy
 * does in a container. Needs root.
 */
export class MountedBox implements AsyncDisposable {
  readonly dir: string;
  /** The directory on the host. */
  readonly hostDir: string;
  /** The same one as the shell sees it. */
  readonly inside: string;
  readonly #shell: ChildProcessByStdio<Writable, Readable, null>;
  #output = "";
  #calls = 0;

  private constructor(dir: string) {
    this.dir = dir;
    this.hostDir = path.join(dir, "host");
    this.inside = path.join(dir, "inside");
    for (const place of [
      this.hostDir,
      this.inside,
      path.join(dir, "scratch"),
      path.join(dir, "capture", "observations"),
    ])
      fs.mkdirSync(place, { recursive: true });
    // A file system of its own, which has room for everything and is fast.
    const script = 'mount --bind "$0" "$1" && cd "$1" && exec sh';
    const args = ["--mount", "--propagation", "private", "sh", "-c", script, this.hostDir, this.inside];
    this.#shell = spawn("unshare", args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#shell.emit("said");
    });
  }

  static async open(): Promise<MountedBox> {
    const box = new MountedBox(fs.mkdtempSync("/dev/shm/oc-box-"));
    await box.run("true");
    return box;
  }

  get pid(): number {
    return this.#shell.pid ?? 0;
  }

  /** Runs a script in the shell; resolves when it is through. */
  async run(script: string): Promise<void> {
    const mark = `through ${++this.#calls}\n`;
    this.#shell.stdin.write(`${script}\necho ${mark}`);
    while (!this.#output.includes(mark)) {
      await new Promise<void>((resolve, reject) => {
        this.#shell.once("said", resolve);
        this.#shell.once("exit", () => reject(new Error(`the shell ended: ${this.#output}`)));
      });
    }
  }

  /** Ends the shell, and with it the namespace; what stands on the host stays. */
  async end(): Promise<void> {
    if (this.#shell.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#shell.once("exit", resolve));
    this.#shell.stdin.end();
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
