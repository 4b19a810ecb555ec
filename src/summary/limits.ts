/** How the room of the timeline is shared, so that no source can crowd out the others. */
export const TIMELINE_SHARE = {
  nativeHead: 7_500,
  nativeTail: 2_500,
  modelHead: 1_000,
  modelTail: 1_000,
  processes: 5_000,
  connections: 2_500,
} as const;

/** Most entries of each list of derived/summary.json, and most characters of each text in it. */
export const LIMITS = {
  timeline: 20_000,
  noise: 2_000,
  tools: 5_000,
  files: 10_000,
  processes: 10_000,
  connections: 10_000,
  changes: 5_000,
} as const;

export const TEXT_LIMITS = {
  title: 300,
  detail: 600,
  toolInput: 20_000,
  toolOutput: 4_000,
  finalMessage: 100_000,
} as const;

/** Most different types that are counted by name; an agent can invent as many as it likes. */
export const MAX_TYPES = 1_000;
export const OTHER_TYPES = "(other)";
