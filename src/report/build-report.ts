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

/**
 * Makes the self-contained report of a capture and writes it to report/index.html in one step.
 * @returns its path.
 * @throws CaptureError `capture-not-found`, `setup` when the viewer is not built, `disk-full` or `write-failed`.
 */
export async function writeReport(captureDir: string): Promise<string> {
  const capture = openCapture(captureDir);
  return saveReport(capture, await buildPage(capture));
}

export interface DerivedFiles {
  page: CapturePage;
  reportPath: string;
}

/** Writes derived/summary.json and report/index.html, reading the evidence only once; throws as `writeReport`. */
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
