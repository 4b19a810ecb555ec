import type { Command } from "commander";
import { findCapture } from "../../evidence/reader-list.ts";
import { printableJson } from "../../schema/display.ts";
import { captureRootOf, type RootOptions, withCaptureRoot } from "../capture-root.ts";
import { showLines } from "../show-capture.ts";

interface ShowOptions extends RootOptions {
  json?: boolean;
}

const EXAMPLES = `
CAPTURE is a directory, a name below the capture root, the unique beginning of one, or 'latest'.

Examples:
  $ opencode-capture show latest
  $ opencode-capture show fix_math_utils --json | jq .anomalies
`;

/** `show CAPTURE`: what a capture says, made from its evidence. */
export function registerShow(program: Command): void {
  withCaptureRoot(program.command("show").description("show what a capture says"))
    .argument("<capture>", "directory, name, unique beginning of a name, or latest")
    .option("--json", "print the summary as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (wanted: string, options: ShowOptions) => {
      // Loaded late, like all that only some commands need: the others start faster.
      const { buildSummary } = await import("../../summary/build-summary.ts");
      const capture = findCapture(captureRootOf(options), wanted);
      const summary = await buildSummary(capture.dir);
      if (options.json === true) process.stdout.write(`${printableJson(summary)}\n`);
      else
        process.stdout.write(
          showLines(capture.dir, summary)
            .map((line) => `${line}\n`)
            .join(""),
        );
    });
}
