import { toolVersion } from "../core/package-root.ts";
import type { OpenCapture } from "../evidence/reader.ts";
import { listFiles } from "../evidence/reader-path.ts";
import type { CapturePage, PageOmission } from "../schema/page.ts";
import type { Summary } from "../schema/summary.ts";
import { buildSummaryWithEvidence } from "../summary/build-summary.ts";
import type { Evidence } from "../summary/evidence.ts";
import { loadExchanges } from "./page-exchanges.ts";
import { loadLogs } from "./page-logs.ts";

const MAX_FILES = 2_000;

/** Everything the viewer shows of one capture, made from the evidence. Writes nothing. */
export async function buildPage(capture: OpenCapture): Promise<CapturePage> {
  const { summary, evidence } = await buildSummaryWithEvidence(capture);
  return pageOf(capture, summary, evidence);
}

async function pageOf(capture: OpenCapture, summary: Summary, evidence: Evidence): Promise<CapturePage> {
  const { exchanges, total } = await loadExchanges(capture);
  const { files, truncated } = listFiles(capture.dir, ["workspace"], MAX_FILES);
  const omitted: PageOmission[] = [];
  if (total > exchanges.length) omitted.push({ what: "exchanges", kept: exchanges.length, total });
  if (truncated) omitted.push({ what: "files", kept: files.length, total: files.length + 1 });
  return {
    name: capture.name,
    toolVersion: toolVersion(),
    summary,
    issue: evidence.issue,
    container: withoutInspect(evidence),
    exchanges,
    logs: loadLogs(capture),
    files,
    omitted,
  };
}

function withoutInspect({ container }: Evidence): CapturePage["container"] {
  if (container === null) return null;
  const { engine_inspect: _inspect, ...rest } = container;
  return rest;
}
