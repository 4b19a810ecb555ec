import { type EventContext, headOf } from "./event-context.ts";
import { failure, namespaceNames, ptraceRequest, signalName } from "./names.ts";
import type { ReachRecord, SecurityRecord } from "./record.ts";

/** What stands in the place of a system call's number when a signal handler returns; such a return is no call. */
const NO_CALL = 0xffff_ffff;

/** Makes the event about a change of rights, a reach into another process, or a blind spot. */
export function addSecurityEvent(context: EventContext, record: SecurityRecord): void {
  const head = headOf(record, context.clock);
  const failed = failure(record.result);
  switch (record.kind) {
    case "credentials": {
      const { call, euid, egid } = record;
      context.emit({ kind: "process.credentials", ...head, call, euid, egid, ...failed });
      return;
    }
    case "namespace": {
      const { call, flags } = record;
      context.emit({ kind: "process.namespace", ...head, call, namespaces: namespaceNames(flags), ...failed });
      return;
    }
    case "reach": {
      const { call, targetPid } = record;
      context.emit({
        kind: "process.reach",
        ...head,
        call,
        request: requestOf(record),
        target_pid: targetPid,
        ...failed,
      });
      return;
    }
    case "blind-spot": {
      const { interface: used, stage, number } = record;
      if (used === "compat-call" && (number === NO_CALL || number === -1)) return;
      context.emit({ kind: "blind-spot", ...head, interface: used, stage, number, ...failed });
    }
  }
}

function requestOf({ call, request }: ReachRecord): string {
  if (call === "ptrace") return ptraceRequest(request);
  return call === "kill" ? (request === 0 ? "0" : signalName(request)) : "";
}
