/**
 * The process that reads an agent's session store. It is a process of its own because the store is hostile input: it has a
 * time limit and its own memory, and when it dies the supervisor goes on.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../../core/errors.ts";
import { shorten, visible } from "../../schema/display.ts";
import { sessionExport } from "../../schema/session-export.ts";
import { readAgentOutcome } from "./agent-outcome.ts";
import { emptyResult, type ReaderOrder, type ReaderResult, readerOrder, WORK_FILES } from "./reader-result.ts";
import { exportStore, safeWords } from "./store-export.ts";

const MAX_LINE_CHARS = 500;

function say(text: string): void {
  process.stderr.write(`${visible(shorten(text, MAX_LINE_CHARS))}\n`);
}

/** Checks an export that somebody else has made. */
function checkFile(order: ReaderOrder): ReaderResult {
  const source = path.join(order.workDir, WORK_FILES.export);
  const parsed = sessionExport.safeParse(JSON.parse(fs.readFileSync(source, "utf8")));
  if (!parsed.success) throw new Error(`not an export: ${parsed.error.issues[0]?.message ?? "unknown"}`);
  const { id, version } = parsed.data.info;
  const { size } = fs.statSync(source);
  fs.renameSync(source, path.join(order.workDir, WORK_FILES.sessions, `${id}.json`));
  return {
    ...emptyResult(),
    root: id,
    sessions: [{ id, bytes: size, fault: null }],
    opencodeVersion: shorten(visible(version), 100),
    outcome: readAgentOutcome(parsed.data),
  };
}

/** The order is one line on standard input: the process may have been started long before there is one. */
async function main(): Promise<void> {
  let input = "";
  for await (const chunk of process.stdin) input += String(chunk);
  if (input === "") return; // the supervisor is gone, or did not need it
  const order = readerOrder.parse(JSON.parse(input));
  let result: ReaderResult;
  try {
    result = order.mode === "store" ? exportStore(order, say) : checkFile(order);
  } catch (error) {
    result = { ...emptyResult(), reason: safeWords(errorMessage(error)) };
  }
  if (result.reason !== null) say(result.reason);
  fs.writeFileSync(path.join(order.workDir, WORK_FILES.result), JSON.stringify(result));
  process.exitCode = result.reason === null ? 0 : 1;
}

await main();
