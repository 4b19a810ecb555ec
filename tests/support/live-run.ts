import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { type Exchange, exchange } from "../../src/schema/exchange.ts";
import { type RunRecord, runRecord } from "../../src/schema/run.ts";
import { type CliResult, runCli } from "./cli.ts";
import type { ModelServer } from "./model-server.ts";
import type { TempProject } from "./temp-project.ts";

/** Looks like a provider's key; searched for wherever it must not be. */
export const CANARY_KEY = "sk-canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0";

export interface LiveRun {
  result: CliResult;
  dir: string;
  record: RunRecord;
  exchanges: Exchange[];
}

/** One run of the project's task with a live model at `server`. */
export async function liveRun(
  project: TempProject,
  model: string,
  server: Pick<ModelServer, "url">,
  more: { options?: string[]; env?: Record<string, string> } = {},
): Promise<LiveRun> {
  const args = ["run", "--issue", "probe", "--engine", "podman", "--model", model, "--base-url", server.url];
  const env = { OPENCODE_CAPTURE_API_KEY: CANARY_KEY, ...more.env };
  const result = await runCli([...args, ...project.options, ...(more.options ?? [])], env);
  const dir = result.stdout.trim().split("\n").at(-1) ?? "";
  if (!path.isAbsolute(dir)) throw new Error(`no capture:\n${result.stderr}`);
  const record = runRecord.parse(JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.run), "utf8")));
  const lines = fs.readFileSync(path.join(dir, LAYOUT.exchanges), "utf8").split("\n").slice(0, -1);
  const exchanges = lines.map((line) => exchange.parse(JSON.parse(line))).toSorted((a, b) => a.seq - b.seq);
  return { result, dir, record, exchanges };
}

/** Files below a directory that hold the text. */
export function filesWith(dir: string, text: string): string[] {
  const files = fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => path.join(entry.parentPath, entry.name));
  if (paths.length === 0) throw new Error(`there is no file below ${dir}: the search would prove nothing`);
  return paths.filter((file) => fs.readFileSync(file).includes(text));
}
