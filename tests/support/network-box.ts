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
    await box.run("python3", ["-c", LOOPBACK_UP]);
    return box;
  }

  /** A process in the namespace. */
  get pid(): number {
    return this.#keeper.pid ?? 0;
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

/** SIOCSIFFLAGS with IFF_UP and IFF_RUNNING; not every machine has a program for it. */
const LOOPBACK_UP = `
import fcntl, socket, struct
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
`;
