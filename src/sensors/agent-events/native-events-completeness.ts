import type { CompletenessClass } from "../../schema/observations.ts";
import type { EventSinkResult } from "./event-sink-result.ts";

type Counted = Omit<EventSinkResult, "completeness">;

/** How well the plugin's records were received. It says nothing of their truth. */
export function nativeEventsCompleteness(counted: Counted, from: string, to: string): CompletenessClass {
  const base = { class: "native-events" as const, sensor: "plugin", from, to, started_before_agent: true };
  if (counted.status === "missing") {
    const reason =
      counted.bytes === 0
        ? "the plugin sent nothing: it was not loaded"
        : `${counted.bytes} bytes arrived and none could be kept: ${counted.failure ?? "limits"}`;
    return { ...base, level: "absent", reason, lost: null };
  }
  if (counted.status === "invalid") {
    return { ...base, level: "absent", reason: "what arrived holds no valid record", lost: null };
  }
  const faults = faultsOf(counted);
  if (faults.length > 0) {
    const lost = counted.truncated ? null : counted.sequenceGaps;
    return { ...base, level: "lossy", reason: faults.join("; "), lost };
  }
  const reason = "every record from plugin.alive to plugin.dispose is there, numbered without a hole";
  return { ...base, level: "complete", reason, lost: 0 };
}

function faultsOf(counted: Counted): string[] {
  const faults: string[] = [];
  if (counted.failure !== undefined) faults.push(`could not keep everything: ${counted.failure}`);
  if (counted.lostBytes > 0) faults.push(`${counted.lostBytes} bytes beyond the limits were thrown away`);
  if (counted.sequenceGaps > 0) {
    faults.push(`${counted.sequenceGaps} records missing, ${counted.dropped} of them dropped by the plugin`);
  }
  if (counted.sequenceRepeats > 0) faults.push(`${counted.sequenceRepeats} records out of order`);
  if (counted.invalidCount > 0) faults.push(`${counted.invalidCount} lines are no records`);
  if (!counted.pluginAlive) faults.push("the plugin did not announce itself");
  if (!counted.pluginDisposed) faults.push("no plugin.dispose: what the agent's process still held is not known");
  return faults;
}
