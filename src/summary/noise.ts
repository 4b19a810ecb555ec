/**
 * Native events that say little by themselves. They are recorded and counted like all others; only views fold them.
 * A trailing `*` stands for any rest.
 */
const NOISE = [
  "message.part.delta",
  "tui.*",
  "lsp.*",
  "plugin.added",
  "catalog.updated",
  "integration.updated",
  "reference.updated",
  "models-dev.refreshed",
  "file.watcher.updated",
  "session.diff",
  "session.next.*",
  "project.*",
  "vcs.*",
  "server.*",
  "installation.*",
  "mcp.tools.changed",
  "pty.*",
  "config",
  "chat.params",
  "chat.headers",
  "tool.definition",
  "experimental.*",
] as const;

const EXACT: ReadonlySet<string> = new Set(NOISE.filter((name) => !name.endsWith("*")));
const PREFIXES = NOISE.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));

/** True for a type of native event that views fold. */
export function isNoise(type: string): boolean {
  return EXACT.has(type) || PREFIXES.some((prefix) => type.startsWith(prefix));
}
