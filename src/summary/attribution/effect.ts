import type { FileOperation } from "../../schema/attribution.ts";
import { shorten } from "../../schema/display.ts";
import type { CaptureEvent } from "../../schema/event.ts";
import { isRefusal, isTelling } from "./refusal.ts";

/** What one event did. `text` is one line for people, made when it is asked for: of most effects it never is. */
export type Effect = { text: () => string } & (
  | { class: "command" }
  | { class: "file"; paths: readonly string[]; operation: FileOperation; sensitive: boolean }
  | { class: "contact"; remote: string; outcome: string }
  | { class: "other" }
);

const COMMAND_CHARS = 500;
const TEXT_CHARS = 300;

const FILE_OPERATIONS: Readonly<Record<string, FileOperation>> = {
  "file.close-write": "written",
  "file.shared-mapping": "written",
  "file.truncate": "written",
  "file.unlink": "removed",
  "file.rmdir": "removed",
  "file.mkdir": "created",
  "file.mknod": "created",
  "file.symlink": "linked",
  "file.link": "linked",
  "file.rename": "renamed",
  "file.chmod": "attributes",
  "file.chown": "attributes",
  "file.setxattr": "attributes",
  "file.removexattr": "attributes",
  "file.utime": "attributes",
  "file.allocate": "written",
  "file.mount": "mounted",
  "file.umount": "mounted",
};

/** The effect of an event; undefined for one that has none: a fork, an exit, a call that failed, the sensor's own. */
export function effectOf(event: CaptureEvent): Effect | undefined {
  if (event.kind === "process.exec") return { class: "command", text: () => commandText(event.argv, event.exe) };
  if (event.kind.startsWith("file.") && "path" in event) return fileEffect(event);
  if (event.kind.startsWith("net.")) return contactEffect(event);
  return otherEffect(event);
}

/** A command line for reading: arguments with blanks or quotes stand in quotes. */
export function commandText(argv: readonly string[], exe: string): string {
  const words = argv.length === 0 ? [exe] : argv;
  return shorten(
    words.map((word) => (/^[\w@%+=:,./-]+$/u.test(word) ? word : JSON.stringify(word))).join(" "),
    COMMAND_CHARS,
  );
}

function fileEffect(event: Extract<CaptureEvent, { path: string }>): Effect | undefined {
  const { path } = event;
  if ("path_foreign" in event) return undefined;
  if (event.kind === "file.open-failed") {
    if (!isTelling(event)) return undefined;
    return tried(`open ${path} (${event.access})`, event.errno);
  }
  if ("errno" in event && event.errno !== undefined) return failedChange(event.kind, path, event.errno);
  const operation = operationOf(event);
  if (operation === undefined) return undefined;
  const text = (): string => shorten(`${operation} ${path}${"to" in event ? ` → ${event.to}` : ""}`, TEXT_CHARS);
  // A rename is about both names.
  const paths = "to" in event ? [path, event.to] : [path];
  return { class: "file", paths, operation, sensitive: "sensitive" in event && event.sensitive === true, text };
}

/** A change that was refused is no change, and worth a look. One that found nothing to change is neither. */
function failedChange(kind: string, path: string, errno: string): Effect | undefined {
  if (kind === "file.mount" || kind === "file.chroot")
    return { class: "other", text: () => `${kind} ${path}: ${errno}` };
  return isRefusal(errno) ? tried(`${kind.slice("file.".length)} ${path}`, errno) : undefined;
}

function tried(what: string, errno: string): Effect {
  return { class: "other", text: () => shorten(`tried to ${what}: ${errno}`, TEXT_CHARS) };
}

function operationOf(event: CaptureEvent): FileOperation | undefined {
  if (event.kind !== "file.open") return FILE_OPERATIONS[event.kind];
  if (event.created === true || event.temporary === true) return "created";
  // A file opened for writing and left as it was is no effect; one that was written is told by its close.
  if (event.emptied === true) return "written";
  return event.access === "read" ? "read" : undefined;
}

function contactEffect(event: CaptureEvent): Effect | undefined {
  switch (event.kind) {
    case "net.connect": {
      const outcome = event.errno === undefined ? event.outcome : `${event.outcome} (${event.errno})`;
      return { class: "contact", remote: event.remote, outcome, text: () => `connect ${event.remote}: ${outcome}` };
    }
    case "net.dns-query": {
      const name = event.questions[0]?.name ?? "";
      return { class: "contact", remote: name, outcome: "asked", text: () => `name ${shorten(name, TEXT_CHARS)}` };
    }
    case "net.datagram":
      if (event.direction === "received") return undefined;
      return {
        class: "contact",
        remote: event.remote,
        outcome: event.errno ?? "sent",
        text: () => `send to ${event.remote}`,
      };
    case "net.accept":
      if (event.errno !== undefined) return undefined;
      return { class: "contact", remote: event.remote, outcome: "accepted", text: () => `accept from ${event.remote}` };
    case "net.listen":
      return { class: "other", text: () => `listen ${event.local ?? ""}`.trim() };
    case "net.descriptor":
      if (event.direction === "received") return undefined;
      return { class: "other", text: () => shorten(`passed a descriptor of ${event.object}`, TEXT_CHARS) };
    case "net.socket":
      return { class: "other", text: () => `socket ${event.family} ${event.type}${ending(event.errno)}` };
    default:
      return undefined;
  }
}

function otherEffect(event: CaptureEvent): Effect | undefined {
  switch (event.kind) {
    case "process.survivor":
      return { class: "other", text: () => `still ran at the end: ${commandText(event.argv, event.comm)}` };
    case "process.credentials":
      return { class: "other", text: () => `${event.call} → ${event.euid}:${event.egid}${ending(event.errno)}` };
    case "process.namespace":
      return { class: "other", text: () => `${event.call} ${event.namespaces.join(",")}${ending(event.errno)}` };
    case "process.reach":
      // Signals within a run are everyday; other ways to reach into a process are not.
      if (event.call === "kill") return undefined;
      return { class: "other", text: () => `${event.call} ${event.request} ${event.target_pid}${ending(event.errno)}` };
    case "blind-spot":
      return { class: "other", text: () => `${event.interface} ${event.stage} ${event.number}${ending(event.errno)}` };
    default:
      return undefined;
  }
}

function ending(errno: string | undefined): string {
  return errno === undefined ? "" : `: ${errno}`;
}
