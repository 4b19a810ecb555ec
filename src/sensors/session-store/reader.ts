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
import { type ReaderOrder, type ReaderResult, readerOrder, WORK_FILES } from "./reader-result.ts";
import { type SessionRow, sessionInfo } from "./session-rows.ts";
import { SessionWriter } from "./session-writer.ts";
import { SessionStore } from "./store.ts";

const NOTHING: ReaderResult = { root: null, sessions: [], opencodeVersion: null, outcome: null, reason: null };

function say(text: string): void {
  process.stderr.write(`${visible(shorten(text, 500))}\n`);
}

function readStore(order: ReaderOrder): ReaderResult {
  const store = new SessionStore(path.join(order.workDir, WORK_FILES.database));
  try {
    if (store.unknownColumns.length > 0)
      say(`columns that this reader does not know: ${store.unknownColumns.join(", ")}`);
    const rows = store.sessions(order.maxSessions);
    const root = chooseRoot(rows, order.rootSessionId);
    if (root === undefined) return { ...NOTHING, reason: "the store holds no session" };
    const result: ReaderResult = { ...NOTHING, root: root.id, opencodeVersion: shorten(visible(root.version), 100) };
    const rejected: string[] = [];
    for (const row of [root, ...rows.filter((other) => other !== root)])
      exportSession(store, row, order, result, rejected);
    if (result.outcome !== null) result.outcome.rejectedPermissions = rejected;
    return result;
  } finally {
    store.close();
  }
}

/** The session that the native events named, else the oldest one without a parent. */
function chooseRoot(rows: readonly SessionRow[], wanted: string | null): SessionRow | undefined {
  const named = rows.find((row) => row.id === wanted);
  if (named !== undefined) return named;
  if (wanted !== null) say(`the native events name ${wanted}, which is not in the store`);
  return rows.find((row) => row.parent_id === null) ?? rows[0];
}

function exportSession(
  store: SessionStore,
  row: SessionRow,
  order: ReaderOrder,
  result: ReaderResult,
  rejected: string[],
): void {
  const file = path.join(order.workDir, WORK_FILES.sessions, `${row.id}.json`);
  let writer: SessionWriter | undefined;
  try {
    writer = new SessionWriter(file, order.maxSessionBytes, sessionInfo(row));
    for (const message of store.messages(row.id)) writer.add(message);
    const bytes = writer.end();
    const fault = writer.fault === undefined ? null : visible(shorten(writer.fault, 300));
    result.sessions.push({ id: row.id, parentId: row.parent_id?.slice(0, 256) ?? null, bytes, fault });
    rejected.push(...writer.outcome.rejectedPermissions);
    if (row.id === result.root) result.outcome = writer.outcome;
    say(`${row.id}: ${bytes} bytes${fault === null ? "" : `; not a valid export: ${fault}`}`);
  } catch (error) {
    fs.rmSync(file, { force: true });
    const reason = visible(shorten(errorMessage(error), 300));
    say(`${row.id}: not exported: ${reason}`);
    if (row.id === result.root) result.reason = `session ${row.id}: ${reason}`;
  } finally {
    writer?.close();
  }
}

/** Checks an export that somebody else has made. */
function readFile(order: ReaderOrder): ReaderResult {
  const source = path.join(order.workDir, WORK_FILES.export);
  const parsed = sessionExport.safeParse(JSON.parse(fs.readFileSync(source, "utf8")));
  if (!parsed.success) return { ...NOTHING, reason: `not an export: ${parsed.error.issues[0]?.message ?? "unknown"}` };
  const { id, parentID, version } = parsed.data.info;
  fs.renameSync(source, path.join(order.workDir, WORK_FILES.sessions, `${id}.json`));
  const { size } = fs.statSync(path.join(order.workDir, WORK_FILES.sessions, `${id}.json`));
  return {
    root: id,
    sessions: [{ id, parentId: parentID?.slice(0, 256) ?? null, bytes: size, fault: null }],
    opencodeVersion: shorten(visible(version), 100),
    outcome: readAgentOutcome(parsed.data),
    reason: null,
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
    result = order.mode === "store" ? readStore(order) : readFile(order);
  } catch (error) {
    result = { ...NOTHING, reason: visible(shorten(errorMessage(error), 300)) };
  }
  if (result.reason !== null) say(result.reason);
  fs.writeFileSync(path.join(order.workDir, WORK_FILES.result), JSON.stringify(result));
  process.exitCode = result.reason === null ? 0 : 1;
}

await main();
