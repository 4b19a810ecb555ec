import type { CaptureEvent, EventOf } from "../../schema/event.ts";
import { isRepositoryStore } from "./agent-machinery.ts";

const REFUSALS: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS", "ELOOP"]);

/** The call was refused; other errors say that there was nothing to act on. */
export function isRefusal(errno: string): boolean {
  return REFUSALS.has(errno);
}

/**
 * A failed open that is worth a line: one that was refused, or of a secret that is not there. What a version control
 * program looks for in its own store is neither.
 */
export function isTelling({ errno, sensitive, path }: EventOf<"file.open-failed">): boolean {
  return isRefusal(errno) || (sensitive === true && !isRepositoryStore(path));
}

/** A program looked for a file that is not there, as programs do all the time. */
export function isLookUp(event: CaptureEvent): boolean {
  return event.kind === "file.open-failed" && !isRefusal(event.errno);
}
