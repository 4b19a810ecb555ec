import { shorten } from "../schema/display.ts";
import type { CapturePage, PageOmission } from "../schema/page.ts";

/** Most bytes of data (JSON, before compression) that a report carries. */
const MAX_DATA_BYTES = 20 * 1024 * 1024;

type Step = (page: CapturePage) => { page: CapturePage; omission: PageOmission };

function endsOf<T>(list: readonly T[], max: number): T[] {
  return list.length <= max ? [...list] : [...list.slice(0, max / 2), ...list.slice(-max / 2)];
}

const SHORT_TEXT = 500;

/** From what is missed least to what is missed most. */
const STEPS: readonly Step[] = [
  (page) => {
    const kept = page.summary.noise.slice(0, 200);
    const omission: PageOmission = { what: "noise", kept: kept.length, total: page.summary.counts.noise_total };
    return { page: { ...page, summary: { ...page.summary, noise: kept } }, omission };
  },
  (page) => {
    const exchanges = page.exchanges.map((one) => ({ ...one, newMessages: null }));
    const omission: PageOmission = { what: "messages", kept: 0, total: page.exchanges.length };
    return { page: { ...page, exchanges }, omission };
  },
  (page) => {
    const timeline = endsOf(page.summary.timeline, 5_000);
    const omission: PageOmission = {
      what: "timeline",
      kept: timeline.length,
      total: page.summary.counts.timeline_total,
    };
    return { page: { ...page, summary: { ...page.summary, timeline } }, omission };
  },
  dropTables,
  dropLargeDiffs,
  (page) => {
    const tools = page.summary.tools.map((tool) => ({
      ...tool,
      input: shorten(tool.input, SHORT_TEXT),
      output_preview: tool.output_preview === null ? null : shorten(tool.output_preview, SHORT_TEXT),
    }));
    const exchanges = page.exchanges.map((one) => ({
      ...one,
      text: one.text === null ? null : shorten(one.text, SHORT_TEXT),
      toolCalls: one.toolCalls.map((call) => ({ ...call, arguments: shorten(call.arguments, SHORT_TEXT) })),
    }));
    const total = tools.length + exchanges.length;
    return {
      page: { ...page, exchanges, summary: { ...page.summary, tools } },
      omission: { what: "texts", kept: 0, total },
    };
  },
  (page) => {
    const tree = page.summary.observations.process;
    const processes = endsOf(tree?.processes ?? [], 1_000);
    const observations = { ...page.summary.observations, process: tree && { ...tree, processes } };
    const omission: PageOmission = {
      what: "processes",
      kept: processes.length,
      total: page.summary.counts.processes_total,
    };
    return { page: { ...page, summary: { ...page.summary, observations } }, omission };
  },
];

/** The viewer shows effects by call; the tables by process, file and host are for programs and stand in the summary. */
function dropTables(page: CapturePage): { page: CapturePage; omission: PageOmission } {
  const { attribution } = page.summary;
  const total = (attribution?.processes_total ?? 0) + (attribution?.files_total ?? 0) + (attribution?.hosts_total ?? 0);
  const slim = attribution && { ...attribution, processes: [], files: [], hosts: [] };
  const omission: PageOmission = { what: "effects", kept: 0, total };
  return { page: { ...page, summary: { ...page.summary, attribution: slim } }, omission };
}

const LARGE_DIFF_CHARACTERS = 16_384;

function dropLargeDiffs(page: CapturePage): { page: CapturePage; omission: PageOmission } {
  let total = 0;
  let kept = 0;
  const diff = page.summary.observations.filesystem;
  const changes = (diff?.changes ?? []).map((change) => {
    if (change.diff === undefined) return change;
    total++;
    if (change.diff.length <= LARGE_DIFF_CHARACTERS) {
      kept++;
      return change;
    }
    const { diff: _diff, ...rest } = change;
    return { ...rest, diff_omitted: "budget" as const };
  });
  const observations = { ...page.summary.observations, filesystem: diff && { ...diff, changes } };
  return { page: { ...page, summary: { ...page.summary, observations } }, omission: { what: "diffs", kept, total } };
}

/**
 * The page as JSON of at most `maxBytes`. What is left out is named in `omitted`; if the essentials alone are larger,
 * the result is too.
 */
export function fitPage(page: CapturePage, maxBytes = MAX_DATA_BYTES): string {
  let current = page;
  let json = JSON.stringify(current);
  for (const step of STEPS) {
    if (Buffer.byteLength(json) <= maxBytes) break;
    const result = step(current);
    const nothing = result.omission.what === "effects" && result.omission.total === 0;
    current = nothing ? current : { ...result.page, omitted: [...current.omitted, result.omission] };
    json = JSON.stringify(current);
  }
  return json;
}
