import * as path from "node:path";
import { writeFileAtomic } from "../core/atomic-file.ts";
import { derivedDirectory } from "../evidence/derived-directory.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { type OpenCapture, openCapture } from "../evidence/reader.ts";
import type { CapturePage } from "../schema/page.ts";
import { saveSummary } from "../summary/build-summary.ts";
import { fitPage } from "./fit-page.ts";
import { composeHtml } from "./html.ts";
import { buildPage } from "./page-data.ts";
import { viewerAssets } from "./viewer-assets.ts";

export interface DerivedFiles {
  page: CapturePage;
  reportPath: string;
}

/**
 * Makes a capture's summary (derived/summary.json) and its self-contained report (report/index.html), each in one step,
 * reading the evidence only once.
 * @throws CaptureError `capture-not-found`, `setup` when the viewer is not built, `disk-full` or `write-failed`.
 */
export async function writeSummaryAndReport(captureDir: string): Promise<DerivedFiles> {
  const capture = openCapture(captureDir);
  const page = await buildPage(capture);
  saveSummary(capture, page.summary);
  return { page, reportPath: saveReport(capture, page) };
}

function reportOf(page: CapturePage): string {
  return composeHtml(page, fitPage(page), viewerAssets());
}

function saveReport(capture: OpenCapture, page: CapturePage): string {
  const html = reportOf(page);
  const file = path.join(derivedDirectory(capture.dir, path.dirname(LAYOUT.report)), path.basename(LAYOUT.report));
  writeFileAtomic(file, html);
  return file;
}
