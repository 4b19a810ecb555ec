import * as path from "node:path";
import { LAYOUT } from "../evidence/layout.ts";

/** Makes a capture's summary and report from its evidence. Loaded late: a run has begun long before it needs them. */
export async function deriveCapture(captureDir: string): Promise<{ summaryPath: string; reportPath: string }> {
  const { writeSummary } = await import("../summary/build-summary.ts");
  const { writeReport } = await import("../report/build-report.ts");
  await writeSummary(captureDir);
  await writeReport(captureDir);
  return { summaryPath: path.join(captureDir, LAYOUT.summary), reportPath: path.join(captureDir, LAYOUT.report) };
}
