/**
 * What OpenCode 1.18 does of its own accord, without a tool call: the programs it starts and the places where it keeps its own things. Taken from recorded
 * runs (`docs/attribution.md`). Only what its own process does counts: a command of a tool that runs the same is tied to its call.
 */

/** Directories that are the agent's own. */
const OWN_DIRECTORIES = [
  "/home/agent/.local/share/opencode",
  "/home/agent/.local/state/opencode",
  "/home/agent/.cache/opencode",
  "/home/agent/.config/opencode",
  "/home/agent/.bun",
  "/tmp/opencode",
  "/workspace/.git/opencode",
  "/opt/cfg",
  "/capture",
  "/proc",
  "/dev",
] as const;

/** Native libraries that the program unpacks at its start: hidden names with a random part, directly in /tmp. */
const UNPACKED_LIBRARY = /^\/tmp\/\.?[0-9a-f]{8,}-[0-9a-f]+\.(?:so|node)$/u;

export function isOwnPath(file: string): boolean {
  return UNPACKED_LIBRARY.test(file) || OWN_DIRECTORIES.some((dir) => isBeneath(file, dir));
}

/** A directory on the way to one of its own: made at the first start in an empty home. */
export function isOnTheWay(dir: string): boolean {
  return OWN_DIRECTORIES.some((own) => isBeneath(own, dir));
}

/** What it reads of a repository by itself, with a library instead of a program. */
export function isRepositoryStore(file: string): boolean {
  return isBeneath(file, "/workspace/.git");
}

/** Where it looks around at its start: reads of sensitive names are told. */
export function isInWorkspace(file: string): boolean {
  return isBeneath(file, "/workspace");
}

function isBeneath(file: string, dir: string): boolean {
  return file === dir || file.startsWith(`${dir}/`);
}

/** Sub-commands of git that only look, or that keep the agent's own snapshots. */
const LOOKING = new Set([
  "rev-parse",
  "rev-list",
  "symbolic-ref",
  "remote",
  "config",
  "status",
  "diff",
  "diff-tree",
  "ls-files",
  "ls-tree",
  "show",
  "cat-file",
  "log",
  "merge-base",
  "check-ignore",
  "for-each-ref",
  "worktree",
  "branch",
  "version",
  "--version",
]);

/** Whether the program is a look of the agent at the repository. */
export function isOwnHelper(argv: readonly string[]): boolean {
  if (basename(argv[0]) !== "git") return false;
  const rest = argv.slice(1);
  if (rest.some((arg) => /^--git-dir[= ]?.*\/opencode\/snapshot\//u.test(arg))) return true;
  const subcommand = rest.find((arg, at) => !arg.startsWith("-") && rest[at - 1] !== "-c" && rest[at - 1] !== "-C");
  return LOOKING.has(subcommand ?? rest[0] ?? "");
}

/** Programs that the agent's search tools start. */
export function isSearchProgram(argv: readonly string[]): boolean {
  return basename(argv[0]) === "rg";
}

export const SEARCH_TOOLS: ReadonlySet<string> = new Set(["grep", "glob", "list"]);

/** Tools that only look at the files they name. */
export const READING_TOOLS: ReadonlySet<string> = new Set(["read", "grep", "glob", "list", "lsp"]);

/** Tools that change files inside the agent's own process. */
export const WRITING_TOOLS: ReadonlySet<string> = new Set(["write", "edit", "multiedit", "patch", "apply_patch"]);

const SHELLS: ReadonlySet<string> = new Set(["bash", "sh", "dash", "zsh", "ash", "fish", "ksh"]);

/** The command of a shell that was started with one, else undefined. */
export function shellCommand(argv: readonly string[]): string | undefined {
  if (argv.length < 3 || !SHELLS.has(basename(argv[0])) || !argv.slice(1, -1).some((arg) => /^-[a-z]*c$/u.test(arg)))
    return undefined;
  return argv.at(-1);
}

function basename(program: string | undefined): string {
  return (program ?? "").split("/").at(-1) ?? "";
}
