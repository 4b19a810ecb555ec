import { type Command, InvalidArgumentError } from "commander";
import { visible } from "../../schema/display.ts";
import { captureRootOf, type RootOptions, withCaptureRoot } from "../capture-root.ts";
import { interruptSignal } from "../interrupt.ts";

interface BrowseOptions extends RootOptions {
  host: string;
  port: number;
}

const EXAMPLES = `
Examples:
  $ opencode-capture browse
  $ opencode-capture browse --host 127.0.0.1 --port 8765 --capture-root artifacts/captures

The address is printed on standard output. Ctrl-C ends it. The evidence of captures is never changed; a missing summary
or report is filled in.
`;

/** `browse`: serves the captures to a browser on this machine until Ctrl-C. */
export function registerBrowse(program: Command): void {
  withCaptureRoot(program.command("browse").description("look at the captures in a browser"))
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on (0: any free one)", parsePort, 8765)
    .addHelpText("after", EXAMPLES)
    .action(browse);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("it must be a number from 0 to 65535.");
  return port;
}

async function browse(options: BrowseOptions): Promise<void> {
  const { startBrowser } = await import("../../browser/serve.ts");
  const captureRoot = captureRootOf(options);
  const interrupt = interruptSignal(() => process.stderr.write("stopping …\n"));
  const stopped = new Promise<void>((resolve) =>
    interrupt.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  const server = await startBrowser({ host: options.host, port: options.port, captureRoot });
  try {
    for (const warning of server.warnings) process.stderr.write(`warning: ${visible(warning)}\n`);
    process.stdout.write(`${server.url}\n`);
    process.stderr.write(`captures of ${visible(captureRoot)}; Ctrl-C ends it\n`);
    await Promise.race([stopped, server.scanned]);
    await stopped;
  } finally {
    // An open server would keep the process alive behind its own error message.
    await server.close();
    interrupt.dispose();
  }
}
