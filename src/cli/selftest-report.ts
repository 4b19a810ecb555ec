import { visible } from "../schema/display.ts";
import type { SelftestResult } from "../schema/selftest.ts";

const HEADINGS = ["done", "seen", "lost", "phantom", "verdict"] as const;

const VERDICTS: Readonly<Record<SelftestResult["verdict"], string>> = {
  complete: "Everything that was done was seen exactly, and nothing else.",
  lossy: "Not everything was seen exactly. Captures made on this machine with this sensor miss such things too.",
  blind: "Of at least one class nothing was seen. Captures made on this machine with this sensor do not show it.",
};

/** The result for a terminal: a line a class. */
export function renderSelftest(result: SelftestResult): string {
  const rows = result.classes.map((entry) => [
    entry.title,
    ...[entry.expected, entry.seen, entry.lost, entry.phantom].map(String),
    entry.verdict,
  ]);
  const table = [["", ...HEADINGS], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  const { sensor, engine, kernel, per_second, duration_seconds, reported_lost } = result;
  const said = reported_lost === null ? "an unknown number" : String(reported_lost);
  return [
    `sensor ${visible(sensor)}, ${visible(engine)}, kernel ${visible(kernel)}, up to ${per_second} a second, ${duration_seconds.toFixed(1)} s`,
    "",
    ...lines,
    "",
    `The sensor itself says that ${said} of its records are missing.`,
    VERDICTS[result.verdict],
    "",
  ].join("\n");
}
