import { Command, CommanderError } from "commander";
import { CaptureError, EXIT, errorMessage } from "../core/errors.ts";
import { toolVersion } from "../core/package-root.ts";
import { visibleLines } from "../schema/display.ts";

/** Each command is loaded only when it is used: together they would take longer to load than a run takes to begin. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  run: async () => (await import("./commands/run.ts")).registerRun,
  "run-all": async () => (await import("./commands/run-all.ts")).registerRunAll,
  list: async () => (await import("./commands/list.ts")).registerList,
  show: async () => (await import("./commands/show.ts")).registerShow,
  browse: async () => (await import("./commands/browse.ts")).registerBrowse,
  report: async () => (await import("./commands/report.ts")).registerReport,
  tasks: async () => (await import("./commands/tasks.ts")).registerTasks,
  doctor: async () => (await import("./commands/doctor.ts")).registerDoctor,
  selftest: async () => (await import("./commands/selftest.ts")).registerSelftest,
  image: async () => (await import("./commands/image.ts")).registerImage,
};

/** Parses `argv`, runs the command and sets the process's exit code. Every error is told here, once. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    const program = await buildProgram(argv[2] ?? "");
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** With the wanted command alone; with all of them where it is none of them, for help and for hints at misspelt names. */
async function buildProgram(wanted: string): Promise<Command> {
  const program = new Command("opencode-capture")
    .description(
      "A flight recorder for coding agents: runs OpenCode in a locked-down container and records what it really did.",
    )
    .version(toolVersion())
    .configureOutput({ outputError: (text, write) => write(visibleLines(text)) })
    .showHelpAfterError("(--help shows the options and examples)")
    .configureHelp({ showGlobalOptions: true });
  const one = Object.hasOwn(COMMANDS, wanted) ? COMMANDS[wanted] : undefined;
  for (const load of one === undefined ? Object.values(COMMANDS) : [one]) (await load())(program);
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
