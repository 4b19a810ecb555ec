import * as fs from "node:fs";
import { replaceStorage } from "../../src/core/storage.ts";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import { recoverLostRuns } from "../../src/supervisor/recover.ts";
import { NO_ENGINE, replayRun } from "./replayed-run.ts";
import { FaultyStorage } from "./storage-faults.ts";

/**
 * Program: plays the recorded run, or with `recover` the start after it, and is killed at the Nth call to the storage. Says
 * on standard output what the storage had acknowledged by then, a line of JSON each.
 *   node replay-and-die.ts CAPTURE-ROOT N run|recover
 */
const [captureRoot = "", at = "", what = ""] = process.argv.slice(2);
const say = (value: unknown): void => void fs.writeSync(1, `${JSON.stringify(value)}\n`);
using _ = replaceStorage((system) => new FaultyStorage(system, { fault: "kill", at: Number(at), onAcknowledged: say }));
if (what === "recover") await recoverLostRuns({ captureRoot, engine: NO_ENGINE, derive: writeSummaryAndReport });
else await replayRun(captureRoot, () => say("begun"));
