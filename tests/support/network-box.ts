import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A network namespace of its own with a loopback interface, as a container of a run has it. */
export class NetworkBox implements AsyncDisposable {
  readonly #keeper: ChildProcess;

  private constructor(keeper: ChildProcess) {
    this.#keeper = keeper;
  }

  static async open(): Promise<NetworkBox> {
    const keeper = spawn("unshare", ["--net", "sh", "-c", "echo; exec sleep 600"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(keeper.stdout, "data");
    const box = new NetworkBox(keeper);
    await box.run("ip", ["link", "set", "lo", "up"]);
    return box;
  }

  /** A process in the namespace. */
  get pid(): number {
    return this.#keeper.pid ?? 0;
  }

  /** Runs a Node program, with `text` as its argument. */
  runNode(program: string, text = ""): Promise<string> {
    return this.run(process.execPath, ["--input-type=module", "-e", program, "--", text]);
  }

  /** Runs a program in there. @returns its standard output. */
  async run(program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await run("nsenter", ["-t", String(this.pid), "-n", program, ...args], { maxBuffer: 1 << 24 });
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#keeper, "close");
    this.#keeper.kill("SIGKILL");
    await ended;
  }
}
