import type { CaptureEvent } from "../../schema/event.ts";
import { isOwnPath } from "./agent-machinery.ts";

/** An event of which a process is the author. */
export type ProcessEvent = Extract<CaptureEvent, { process: string }>;

/** What a program of the agent that looks at the repository may do: read, and write where the agent keeps its own things. */
export function isOwnLook(event: ProcessEvent): boolean {
  if (event.kind.startsWith("net.") || isUnheardOf(event)) return false;
  return !("path" in event) || accessOf(event) === "read" || isOwnPath(event.path);
}

/** What the agent never does by itself: another user, other namespaces, a hand in another process. */
export function isUnheardOf({ kind }: ProcessEvent): boolean {
  return kind === "process.credentials" || kind === "process.namespace" || kind === "process.reach";
}

/** Whether a file is read, begun to be changed, or done with. */
export function accessOf(event: ProcessEvent): "read" | "write" | "written" {
  if ((event.kind === "file.open" || event.kind === "file.open-failed") && event.access === "read") return "read";
  return event.kind === "file.close-write" ? "written" : "write";
}
