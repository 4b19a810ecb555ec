import type { CompletenessClass } from "../../src/schema/observations.ts";
import type { Summary } from "../../src/schema/summary.ts";

export const COUNTED = ["tools", "processes", "files", "connections", "exchanges", "events"] as const;
export type Counted = (typeof COUNTED)[number];

/** What a count rests on; where none of it was observed, there is no count. */
const RESTS_ON: Record<Counted, readonly CompletenessClass["class"][]> = {
  tools: ["model", "native-events"],
  processes: ["process"],
  files: ["file-workspace"],
  connections: ["network"],
  exchanges: ["model"],
  events: ["native-events"],
};

/** How many of something were seen; `undefined`: it was not observed, which is not the same as none. */
export function countOf(summary: Summary, what: Counted): number | undefined {
  const { counts, completeness } = summary;
  const value = {
    tools: counts.tools_total,
    processes: counts.processes_total,
    files: counts.files_total,
    connections: counts.connections_total,
    exchanges: counts.exchanges_total,
    events: counts.significant_total + counts.noise_total,
  }[what];
  if (value > 0) return value;
  const classes = completeness?.classes.filter((one) => RESTS_ON[what].includes(one.class)) ?? [];
  return classes.some((one) => one.level !== "absent") ? value : undefined;
}
