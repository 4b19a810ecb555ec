import type { CaptureEvent, EventOf } from "../../src/schema/event.ts";
import { type Fact, fact } from "./fact.ts";

type Exec = EventOf<"process.exec">;

const NAMES = ["input", "output", "errors"] as const;

/** Which programs a pipe joins, and which have a connection to somewhere as input or output. */
export function joinsOf(processes: readonly { execs: readonly Exec[]; acts: readonly CaptureEvent[] }[]): Fact[] {
  const execs = processes.flatMap((entry) => entry.execs);
  const remotes = new Map<number, string>();
  for (const act of processes.flatMap((entry) => entry.acts)) {
    if (act.kind === "net.connect") remotes.set(act.connection, act.remote);
  }
  return execs.flatMap((exec) => [...connectionsOf(exec, remotes), ...readersOf(exec, execs)]);
}

function connectionsOf({ argv, stdio = [] }: Exec, remotes: ReadonlyMap<number, string>): Fact[] {
  return NAMES.flatMap((name, index) => {
    const [, number] = /^connection:(\d+)$/.exec(stdio[index] ?? "") ?? [];
    const remote = remotes.get(Number(number));
    return remote === undefined ? [] : [fact("process.exec", { argv, [name]: remote })];
  });
}

function readersOf({ argv, stdio = [] }: Exec, execs: readonly Exec[]): Fact[] {
  const output = stdio[1] ?? "";
  if (!output.startsWith("pipe:")) return [];
  const readers = execs.filter((other) => other.stdio?.[0] === output);
  return readers.map((reader) => fact("process.exec", { argv, output_to: reader.argv }));
}
