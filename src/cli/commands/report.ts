import * as path from "node:path";
import type { Command } from "commander";
import { LAYOUT } from "../../evidence/layout.ts";
import { findCapture } from "../../evidence/reader-list.ts";
import { printableJson } from "../../schema/display.ts";
import { captureRootOf, type RootOptions, withCaptureRoot } from "../capture-root.ts";
import { giveToInvokingUser } from "../invoking-user.ts";

/** What is written here; under sudo it goes to the user who started it. */
const DERIVED = [LAYOUT.summary, LAYOUT.report].map((file) => path.dirname(file));

interface ReportOptions extends RootOptions {
  json?: boolean;
}

const EXAMPLES = `
CAPTURE is a directory, a name below the capture root, the unique beginning of one, or 'latest'. Captures of the
earlier program work too. Only derived/ and report/ are written; the evidence stays as it is.

Examples:
  $ opencode-capture report latest
  $ opencode-capture report artifacts/captures/*
`;

/** `report CAPTURE…`: makes summary and report again; prints the reports' paths. */
export function registerReport(program: Command): void {
  withCaptureRoot(program.command("report").description("make summary and report again from the evidence"))
    .argument("<captures...>", "directory, name, unique beginning of a name, or latest")
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (wanted: string[], options: ReportOptions) => {
      const { writeSummaryAndReport } = await import("../../report/build-report.ts");
      const root = captureRootOf(options);
      // All are found before the first is written: a wrong name changes nothing.
      const captures = wanted.map((one) => findCapture(root, one));
      const written: Record<string, string>[] = [];
      for (const { dir } of captures) {
        const { reportPath } = await writeSummaryAndReport(dir);
        for (const name of DERIVED) await giveToInvokingUser(path.join(dir, name), process.env);
        written.push({ capture_dir: dir, summary_path: path.join(dir, LAYOUT.summary), report_path: reportPath });
        if (options.json !== true) process.stdout.write(`${reportPath}\n`);
      }
      if (options.json === true) process.stdout.write(`${printableJson(written)}\n`);
    });
}
