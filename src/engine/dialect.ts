import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { CaptureError } from "../core/errors.ts";
import type { Attached } from "./attach.ts";
import { printable } from "./engine-command.ts";
import type { EngineKind } from "./port.ts";

/** What an engine needs to bring a created container to the point where its program waits. */
export interface HoldContext {
  container: string;
  pidFile: string;
  /** Runs an engine command that must succeed. */
  run(args: readonly string[]): Promise<string>;
  attach(): Attached;
}

/** A container whose program has not run yet. */
export interface Held {
  pid: number;
  /** Lets the program run and gives its streams. */
  release(): Attached;
}

/** Everything in which docker and podman differ for us. */
export interface Dialect {
  readonly kind: EngineKind;
  /** Flags of `create` that only this engine has. */
  createFlags(pidFile: string): readonly string[];
  readonly tmpfsOptions: readonly string[];
  /** Whether a volume that the image declares can be left out only by mounting something over it. */
  readonly makesImageVolumes: boolean;
  readonly attachFlags: readonly string[];
  readonly removeFlags: readonly string[];
  readonly buildFlags: readonly string[];
  /** Whether builds run in the client itself; killed, it leaves its working container in the storage. */
  readonly buildsInClient: boolean;
  /** The entrypoint (it replaces the image's own) and the arguments after the image's name. */
  program(command: readonly string[]): { entrypoint: string; args: readonly string[] };
  /** Starts the container as far as its namespaces, without one instruction of its program. */
  hold(context: HoldContext): Promise<Held>;
}

const podman: Dialect = {
  kind: "podman",
  createFlags: (pidFile) => [
    ...["--pidfile", pidFile],
    // Podman mounts writable tmpfs of its own and passes the caller's proxy settings on unless told not to.
    "--read-only-tmpfs=false",
    "--http-proxy=false",
    "--image-volume=ignore",
    "--systemd=false",
    "--sdnotify=ignore",
  ],
  tmpfsOptions: ["notmpcopyup"],
  makesImageVolumes: false,
  attachFlags: ["--sig-proxy=false"],
  // Not the ten seconds that a program gets to end by itself.
  removeFlags: ["--time", "0"],
  // Packages come over the host's network, whatever networks the engine has. No layers: a broken build leaves no images.
  buildFlags: ["--network", "host", "--layers=false"],
  buildsInClient: true,
  // As JSON: a program whose name starts with `[` would be taken for a list.
  program: ([program, ...args]) => ({ entrypoint: JSON.stringify([program]), args }),
  async hold({ container, pidFile, run, attach }) {
    await run(["init", container]);
    return { pid: parsePid(await readFile(pidFile, "utf8")), release: attach };
  },
};

/**
 * Docker has no `init`: a shell stands before the program. It says with one byte that it waits, and goes on at a line on its
 * standard input. `read` takes exactly that line, what follows is the program's. A missing program ends it before that byte.
 */
const GATE =
  'command -v "$1" >/dev/null 2>&1 || { echo "executable file $1 not found in PATH" >&2; exit 127; }; echo; read -r _ && exec "$@"';

const docker: Dialect = {
  kind: "docker",
  createFlags: () => [],
  tmpfsOptions: [],
  makesImageVolumes: true,
  attachFlags: [],
  removeFlags: [],
  buildFlags: ["--network", "host", "--force-rm"],
  buildsInClient: false,
  program: (command) => ({ entrypoint: "/bin/sh", args: ["-c", GATE, "gate", ...command] }),
  async hold({ container, run, attach }) {
    const attached = attach();
    await gateReached(attached);
    const pid = parsePid(await run(["inspect", "--format", "{{.State.Pid}}", container]));
    return {
      pid,
      release() {
        attached.stdin.write("go\n");
        return attached;
      },
    };
  },
};

export const DIALECTS: Readonly<Record<EngineKind, Dialect>> = { docker, podman };

/** Waits for the gate's byte, which is taken out of the stream; fails when the container ends before it. */
async function gateReached({ stdout, stderr, ended }: Attached): Promise<void> {
  const reached = await new Promise<boolean>((resolve) => {
    const onReadable = (): void => {
      if (stdout.read(1) === null) return;
      stdout.off("readable", onReadable);
      resolve(true);
    };
    stdout.on("readable", onReadable);
    stdout.once("end", () => resolve(false));
  });
  if (reached) return;
  const { problem } = await ended;
  const said = printable(await text(stderr)).slice(0, 1000);
  throw new CaptureError("engine-failed", `docker could not start the container: ${problem ?? said}`);
}

function parsePid(printed: string): number {
  const pid = Number.parseInt(printed.trim(), 10);
  if (pid > 1) return pid;
  throw new CaptureError("engine-failed", `the engine gives no process id for the container: ${printable(printed)}`);
}
