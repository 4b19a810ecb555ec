import type { CaptureEvent, EventOf } from "../schema/event.ts";
import type { Network, ProcessTree } from "../schema/observations.ts";

/** One kind of thing that workload.py does. */
export interface TestedClass {
  /** Name of its function in workload.py. */
  id: string;
  title: string;
  /** What exactly must be seen of instance `i`, one text an observation. */
  expected(tag: string, i: number): string[];
}

export const TESTED_CLASSES: readonly TestedClass[] = [
  {
    id: "process",
    title: "short processes, with arguments and exit code",
    expected: (tag, i) => [`process ${JSON.stringify(["/bin/true", `${tag}-${i}`])} ended with 0`],
  },
  {
    id: "failed_process",
    title: "programs that could not be run",
    expected: (tag, i) => [`no program /tmp/missing-${tag}-${i} ENOENT`],
  },
  {
    id: "short_file",
    title: "files made, filled and removed again",
    expected: (tag, i) => {
      const path = `/workspace/short-${tag}-${i}`;
      return [`created ${path}`, `closed ${path} 10 bytes`, `removed ${path}`];
    },
  },
  {
    id: "renamed_file",
    title: "renamed files",
    expected: (tag, i) => [`renamed /workspace/from-${tag}-${i} to /workspace/to-${tag}-${i}`],
  },
  { id: "connection", title: "TCP connections", expected: (_, i) => [`connect 127.5.${place(i)}:21000 connected`] },
  {
    id: "refused_connection",
    title: "TCP connections that are refused",
    expected: (_, i) => [`connect 127.6.${place(i)}:21001 refused`],
  },
  { id: "datagram", title: "UDP datagrams", expected: (_, i) => [`datagram 127.7.${place(i)}:21002 8 bytes`] },
  { id: "name", title: "names asked for", expected: (tag, i) => [`asked for host${i}.${tag}.test`] },
  {
    id: "refused_attempt",
    title: "attempts that the sandbox refuses (io_uring, user namespace)",
    expected: () => ["tried io_uring", "tried a namespace user"],
  },
];

function place(i: number): string {
  return `${Math.floor(i / 200)}.${1 + (i % 200)}`;
}

/** Counted by the kernel side and not arrived; a start of the sensor. */
function missingOf({ emitted, received }: EventOf<"sensor.counters">): number {
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  return Math.max(0, sum(emitted) - sum(received));
}

/** Puts events into the words of `expected`; each kind of event belongs to at most one class. */
export class Observations {
  readonly #programs = new Map<string, string>();
  /** Texts of what was seen, by class. */
  readonly seen = new Map<string, string[]>(TESTED_CLASSES.map(({ id }) => [id, []]));
  /** Records that the sensor itself says are missing; null: it has not said anything. */
  reportedLost: number | null = null;
  readonly #tag: string;

  constructor(tag: string) {
    this.#tag = tag;
  }

  add(event: CaptureEvent): void {
    switch (event.kind) {
      case "process.exec":
        this.#programs.set(event.process, JSON.stringify(event.argv));
        return;
      case "process.exit": {
        const argv = this.#programs.get(event.process);
        return this.#note(
          "process",
          `process ${argv} ended with ${event.code}`,
          argv?.startsWith('["/bin/true"') ?? false,
        );
      }
      case "process.exec-failed":
        return this.#note("failed_process", `no program ${event.path} ${event.errno}`, this.#isTagged(event.path));
      case "process.namespace":
        return this.#note("refused_attempt", `tried a namespace ${event.namespaces.join(" ")}`);
      case "sensor.counters":
        this.reportedLost = (this.reportedLost ?? 0) + missingOf(event);
        return;
      case "blind-spot":
        return this.#note("refused_attempt", `tried ${event.interface}`, event.interface === "io_uring");
      default:
        if (event.kind.startsWith("net.")) this.#addNetwork(event);
        else this.#addFile(event);
    }
  }

  #addFile(event: CaptureEvent): void {
    switch (event.kind) {
      case "file.open":
        return this.#note(
          "short_file",
          `created ${event.path}`,
          event.created === true && event.path.includes("/short-"),
        );
      case "file.close-write":
        return this.#note("short_file", `closed ${event.path} ${event.size} bytes`, event.path.includes("/short-"));
      case "file.unlink":
        return this.#note("short_file", `removed ${event.path}`, this.#isTagged(event.path));
      case "file.rename":
        return this.#note("renamed_file", `renamed ${event.path} to ${event.to}`, this.#isTagged(event.path));
      default:
    }
  }

  #addNetwork(event: CaptureEvent): void {
    switch (event.kind) {
      case "net.connect": {
        const id = event.remote.endsWith(":21000") ? "connection" : "refused_connection";
        return this.#note(id, `connect ${event.remote} ${event.outcome}`, event.transport === "tcp");
      }
      case "net.datagram":
        return this.#note("datagram", `datagram ${event.remote} ${event.size_bytes} bytes`, event.direction === "sent");
      case "net.dns-query":
        return this.#note("name", `asked for ${event.questions.map(({ name }) => name).join(" ")}`);
      default:
    }
  }

  /** What polling saw: it knows neither ends of processes nor outcomes, so their presence counts. */
  addPolled(tree: ProcessTree, network: Network): void {
    for (const { argv } of tree.processes) {
      this.#note("process", `process ${JSON.stringify(argv)} ended with 0`, argv[0] === "/bin/true");
    }
    for (const { proto, remote } of network.connections) {
      if (remote.endsWith(":21000")) this.#note("connection", `connect ${remote} connected`);
      if (proto.startsWith("udp")) this.#note("datagram", `datagram ${remote} 8 bytes`, remote.endsWith(":21002"));
    }
  }

  #isTagged(path: string): boolean {
    return path.includes(this.#tag);
  }

  #note(id: string, text: string, belongs = true): void {
    if (belongs) this.seen.get(id)?.push(text);
  }
}
