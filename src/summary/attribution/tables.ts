import type { Attribution, EffectCause, FileOperation } from "../../schema/attribution.ts";
import type { EventOf } from "../../schema/event.ts";
import type { AttributedEvent } from "./attribute.ts";
import { BoundedMap } from "./bounded.ts";
import type { Cause } from "./cause.ts";
import { commandText, type Effect } from "./effect.ts";

const MOST = { processes: 5_000, files: 5_000, hosts: 1_000, writers: 20, touched: 20, names: 20 } as const;

type ProcessRow = Attribution["processes"][number];
type FileRow = Attribution["files"][number];
type HostRow = Attribution["hosts"][number];

/** The form of a cause in the summary. */
function causeEntry(cause: Cause): EffectCause {
  if (cause.kind === "call") {
    const { call, method, confidence } = cause;
    return { kind: "call", call: call.key, method, confidence, why: null };
  }
  const why = cause.kind === "agent" ? cause.what : cause.why;
  return { kind: cause.kind, call: null, method: null, confidence: null, why };
}

/** Effects by process, by file and by host. */
export class EffectTables {
  readonly #processes = new BoundedMap<ProcessRow>(MOST.processes);
  readonly #files = new BoundedMap<FileRow>(MOST.files);
  readonly #hosts = new BoundedMap<HostRow>(MOST.hosts);
  readonly #names = new Map<string, string[]>();

  add({ event }: AttributedEvent, cause: Cause, effect: Effect | undefined): void {
    if (!("process" in event)) return;
    const who = { process: event.process, cause: causeEntry(cause) };
    if (event.kind === "process.exec") this.#exec(event, who);
    if (effect?.class === "file") for (const path of effect.paths) this.#file({ ...effect, path }, who, event.time);
    if (effect?.class === "contact") this.#contact(effect, who, event.time);
  }

  /** Of every process that runs a program, not only of those that the tables have a row for. */
  exit(event: EventOf<"process.exit">): void {
    const row = this.#processes.peek(event.process);
    if (row === undefined) return;
    row.exit_code = event.code;
    row.signal = event.signal;
  }

  /** Names whose answers hold an address: the answer comes before the connection that uses it. */
  answer(event: EventOf<"net.dns-answer">): void {
    for (const { data } of event.answers) {
      const known = this.#names.get(data) ?? [];
      const name = event.questions[0]?.name;
      if (name === undefined || known.includes(name) || known.length >= MOST.names) continue;
      if (this.#names.size < MOST.hosts || this.#names.has(data)) this.#names.set(data, [...known, name]);
    }
  }

  result(): Pick<Attribution, "processes" | "processes_total" | "files" | "files_total" | "hosts" | "hosts_total"> {
    const total = (table: { size: number; missed: number }): number => table.size + table.missed;
    return {
      processes: this.#processes.values(),
      processes_total: total(this.#processes),
      files: this.#files.values(),
      files_total: total(this.#files),
      hosts: this.#hosts.values(),
      hosts_total: total(this.#hosts),
    };
  }

  #exec(event: EventOf<"process.exec">, who: { process: string; cause: EffectCause }): void {
    const row = this.#processes.get(event.process, () => ({
      ...who,
      command: "",
      started_at: event.time,
      exit_code: null,
      signal: null,
      files: [],
      contacts: [],
    }));
    if (row !== undefined) row.command = commandText(event.argv, event.exe);
  }

  #file(
    { path, operation, sensitive }: { path: string; operation: FileOperation; sensitive: boolean },
    who: { process: string; cause: EffectCause },
    time: string,
  ): void {
    addOnce(this.#processes.peek(who.process)?.files, path);
    const row = this.#files.get(path, () => ({ path, sensitive, by: [] }));
    if (row === undefined) return;
    const isSame = ({ process, cause }: { process: string; cause: EffectCause }): boolean =>
      process === who.process && cause.call === who.cause.call && cause.kind === who.cause.kind;
    const known = row.by.find(isSame);
    if (known === undefined) {
      if (row.by.length < MOST.writers) row.by.push({ ...who, operations: [operation], first_at: time, last_at: time });
      return;
    }
    known.last_at = time;
    if (!known.operations.includes(operation)) known.operations.push(operation);
  }

  #contact(
    { remote, outcome }: { remote: string; outcome: string },
    who: { process: string; cause: EffectCause },
    at: string,
  ): void {
    addOnce(this.#processes.peek(who.process)?.contacts, remote);
    const names = this.#names.get(addressOf(remote)) ?? [];
    const row = this.#hosts.get(remote, () => ({ remote, names, by: [] }));
    if (row === undefined || row.by.length >= MOST.writers) return;
    if (!row.by.some((one) => one.process === who.process && one.outcome === outcome))
      row.by.push({ ...who, outcome, at });
  }
}

function addOnce(list: string[] | undefined, one: string): void {
  if (list !== undefined && list.length < MOST.touched && !list.includes(one)) list.push(one);
}

/** The address of `address:port`, without the brackets of IPv6. */
function addressOf(remote: string): string {
  return remote.replace(/:\d+$/u, "").replace(/^\[|\]$/gu, "");
}
