import { Command, CommanderError } from "commander";
import { CaptureError, EXIT, errorMessage } from "../core/errors.ts";
import { visibleLines } from "../schema/display.ts";
import { registerBrowse } from "./commands/browse.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerImage } from "./commands/image.ts";
import { registerList } from "./commands/list.ts";
import { registerReport } from "./commands/report.ts";
import { registerRun } from "./commands/run.ts";
import { registerRunAll } from "./commands/run-all.ts";
import { registerShow } from "./commands/show.ts";
import { registerTasks } from "./commands/tasks.ts";
import { toolVersion } from "./package-root.ts";

/** Parses `argv`, runs the command and sets the process's exit code. Every error is told here, once. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function buildProgram(): Command {
  const program = new Command("opencode-capture")
    .description(
      "A flight recorder for coding agents: runs OpenCode in a locked-down container and records what it really did.",
    )
    .version(toolVersion())
    .showHelpAfterError("(--help shows the options and examples)")
    .configureHelp({ showGlobalOptions: true });
  for (const register of [
    registerRun,
    registerRunAll,
    registerList,
    registerShow,
    registerBrowse,
    registerReport,
    registerTasks,
    registerDoctor,
    registerImage,
  ]) {
    register(program);
  }
  throwInsteadOfExit(program);
  return program;
}

/** Commander would end the process by itself; then output that is still on its way could be lost. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) throwInsteadOfExit(sub);
}

function report(error: unknown): number {
  // Commander has printed its message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const known = error instanceof CaptureError;
  process.stderr.write(`error: ${visibleLines(errorMessage(error))}\n`);
  if (known && error.hint !== undefined)
    process.stderr.write(`  → ${visibleLines(error.hint).replaceAll("\n", "\n    ")}\n`);
  if (!known && error instanceof Error && error.stack !== undefined) {
    process.stderr.write(
      `${visibleLines(error.stack)}\nThis is a fault of opencode-capture itself; please report it with the lines above.\n`,
    );
  }
  return known ? error.exitCode : EXIT.nothingCaptured;
}
