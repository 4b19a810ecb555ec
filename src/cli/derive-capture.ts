/** Makes a capture's summary and report from its evidence. Loaded late: a run has begun long before it needs them. */
export async function deriveCapture(captureDir: string): Promise<void> {
  const { writeSummaryAndReport } = await import("../report/build-report.ts");
  await writeSummaryAndReport(captureDir);
}
