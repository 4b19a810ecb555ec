import type { CaptureEvent, EventOf } from "../../../src/schema/event.ts";
import { cleanPath, fact, isOnDisk, type OracleFact } from "./facts.ts";

const NAME_KINDS = ["unlink", "rmdir", "mkdir", "rename", "link", "symlink", "truncate", "chmod"] as const;
type NameEvent = EventOf<`file.${(typeof NAME_KINDS)[number]}`>;

/** Tells the same facts from the events of a capture. */
export class CaptureFacts {
  readonly facts: OracleFact[] = [];
  /** First arguments by `exec` fact; undefined: the kernel put an interpreter in its place. */
  readonly firstArguments = new Map<OracleFact, (string | undefined)[]>();

  constructor(events: readonly CaptureEvent[]) {
    for (const event of events) this.#take(event);
  }

  #take(event: CaptureEvent): void {
    if (isNameEvent(event)) return this.#name(event);
    switch (event.kind) {
      case "file.open":
        if (event.access !== "read" && isOnDisk(event.path)) {
          this.facts.push(fact("write", bytesOf(event.path, event.path_b64).replace(/\/#\d+$/, "/#")));
        }
        return;
      case "process.exec":
        return this.#exec(event);
      case "process.exec-failed":
        this.facts.push(fact("exec-failed", bytesOf(event.path, event.path_b64), event.errno));
        return;
      case "net.connect":
        if (/^(?:tcp|udp|unix)/.test(event.transport)) this.facts.push(fact("connect", bytesOf(event.remote)));
        return;
      default:
    }
  }

  #name(event: NameEvent): void {
    const what = event.kind.slice("file.".length);
    const path = bytesOf(event.path, event.path_b64);
    // strace shows only what was passed for these: a descriptor says nothing when the call fails.
    const parts = "to" in event ? [path, bytesOf(event.to, event.to_b64)] : [path];
    this.facts.push(fact(what, ...parts, event.errno ?? "ok"));
  }

  #exec(event: EventOf<"process.exec">): void {
    const argv =
      event.argv_b64?.map((one) => Buffer.from(one, "base64").toString("latin1")) ??
      event.argv.map((one) => bytesOf(one));
    const cwd = bytesOf(event.cwd, event.cwd_b64);
    const name = event.script ?? event.filename;
    const path = name === undefined ? bytesOf(event.exe, event.exe_b64) : cleanPath(cwd, bytesOf(name));
    const place =
      event.script === undefined ? 0 : argv.findIndex((one, index) => index > 0 && cleanPath(cwd, one) === path);
    const told = fact("exec", path, argv.slice(place + 1));
    this.facts.push(told);
    const firsts = this.firstArguments.get(told) ?? [];
    this.firstArguments.set(told, [...firsts, event.script === undefined ? argv[0] : undefined]);
  }
}

function isNameEvent(event: CaptureEvent): event is NameEvent {
  return NAME_KINDS.some((kind) => event.kind === `file.${kind}`);
}

function bytesOf(text: string, base64?: string): string {
  return Buffer.from(base64 ?? text, base64 === undefined ? "utf8" : "base64").toString("latin1");
}
