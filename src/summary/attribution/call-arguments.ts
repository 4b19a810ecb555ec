import * as path from "node:path";
import { textAt } from "../unknown-value.ts";

/** What a tool call's arguments say of the effects that it may have. */
export interface CallArguments {
  /** Shell tool: the command, which is the shell's last argument to the byte. */
  readonly command: string | undefined;
  /** Tools that run inside the agent's own process: the files they are about, absolute. */
  readonly paths: readonly string[];
  /** Search tools: what is looked for, an argument of the helper that the agent starts. */
  readonly pattern: string | undefined;
  /** Tools that fetch: host and port. */
  readonly host: string | undefined;
  readonly port: string | undefined;
}

/** The working directory of every run: relative paths start there. */
const WORKSPACE = "/workspace";
const PATCH_PATH = /^\*\*\* (?:Add File|Update File|Delete File|Move to): (.+)$/gmu;
const NOTHING: CallArguments = { command: undefined, paths: [], pattern: undefined, host: undefined, port: undefined };

/** @param text JSON as the model wrote it; a text that is none (or was cut) says nothing. */
export function argumentsOf(tool: string, text: string): CallArguments {
  const args = parse(text);
  if (args === undefined) return NOTHING;
  if (tool === "bash") return { ...NOTHING, command: textAt(args, "command") ?? undefined };
  return {
    command: undefined,
    paths: pathsOf(args),
    pattern: textAt(args, "pattern") ?? undefined,
    ...destinationOf(textAt(args, "url")),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function pathsOf(args: unknown): string[] {
  const named = ["filePath", "file_path", "path"].map((key) => textAt(args, key)).filter((one) => one !== null);
  const patch = textAt(args, "patchText") ?? textAt(args, "patch") ?? "";
  const patched = [...patch.matchAll(PATCH_PATH)].map((match) => match[1] ?? "");
  return [...named, ...patched].filter((one) => one !== "").map((one) => path.posix.resolve(WORKSPACE, one));
}

function destinationOf(url: string | null): Pick<CallArguments, "host" | "port"> {
  if (url === null || !URL.canParse(url)) return { host: undefined, port: undefined };
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === "http:" ? "80" : "443";
  return { host: hostname.replace(/^\[|\]$/gu, ""), port: port === "" ? usual : port };
}
