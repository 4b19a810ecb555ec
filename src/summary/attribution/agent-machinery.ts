/**
 * What OpenCode 1.18 does of its own accord, without a tool call: the programs it starts and the places where it keeps its own things. Taken from recorded
 * runs (`docs/attribution.md`). Only what its own process does counts: a command of a tool that runs the same is tied to its call.
 */

/** Directories that are the agent's own. */
const OWN_DIRECTORIES = [
  "/home/agent/.local/share/opencode",
  "/home/agent/.local/state/opencode",
  "/home/agent/.cache/opencode",
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

/** Instructions and settings of the project, which it reads before each question to the model where it may read them at all. */
const INSTRUCTIONS = /\/(?:AGENTS|CLAUDE|CONTEXT)\.md$|\/opencode\.jsonc?$/u;

export function isInstructions(file: string): boolean {
  return isInWorkspace(file) && INSTRUCTIONS.test(file);
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

/** A program that the agent's process started, as the kernel saw it. */
export interface Started {
  /** The file that was executed. Names in `argv` are whatever the starter wrote. */
  exe: string;
  argv: readonly string[];
  written_in_run?: true | undefined;
}

/** Places that the agent can write to: a program there may be anything. */
const WRITABLE = ["/workspace", "/home", "/tmp", "/dev", "/proc", "/run", "/var/tmp"] as const;

/** The program's own name, if it stands where nobody in the container can put one. */
function programOf({ exe, written_in_run: isNew }: Started): string | undefined {
  if (isNew === true || !exe.startsWith("/") || WRITABLE.some((dir) => isBeneath(exe, dir))) return undefined;
  return basename(exe);
}

/** Whether the program is a look of the agent at the repository. What it writes, and other programs that it starts, are no look. */
export function isOwnHelper(started: Started): boolean {
  if (programOf(started) !== "git") return false;
  const rest = started.argv.slice(1);
  if (rest.some((arg) => /^--git-dir[= ]?.*\/opencode\/snapshot\//u.test(arg))) return true;
  const subcommand = rest.find((arg, at) => !arg.startsWith("-") && rest[at - 1] !== "-c" && rest[at - 1] !== "-C");
  return LOOKING.has(subcommand ?? rest[0] ?? "");
}

/** Options with which a search runs other programs. */
const SEARCH_RUNS = /^--(?:pre|hostname-bin)(?:=|$)/u;

/** Programs that the agent's search tools start. */
export function isSearchProgram(started: Started): boolean {
  return programOf(started) === "rg" && !started.argv.some((arg) => SEARCH_RUNS.test(arg));
}

export const SEARCH_TOOLS: ReadonlySet<string> = new Set(["grep", "glob", "list"]);

/** Tools that only look at the files they name. */
export const READING_TOOLS: ReadonlySet<string> = new Set(["read", "grep", "glob", "list", "lsp"]);

/** Tools that change files inside the agent's own process. */
export const WRITING_TOOLS: ReadonlySet<string> = new Set(["write", "edit", "multiedit", "patch", "apply_patch"]);

const SHELLS: ReadonlySet<string> = new Set(["bash", "sh", "dash", "zsh", "ash", "fish", "ksh", "busybox"]);

/** The command of a shell that was started with one, else undefined. */
export function shellCommand(started: Started): string | undefined {
  const { argv } = started;
  const isShell = [programOf(started), basename(argv[0])].every((name) => name !== undefined && isShellName(name));
  if (!isShell || argv.length < 3 || !argv.slice(1, -1).some((arg) => /^-[a-z]*c$/u.test(arg))) return undefined;
  return argv.at(-1);
}

/** Also with a version behind the name, as `zsh-5.9`. */
function isShellName(name: string): boolean {
  return SHELLS.has(name.replace(/-?\d[\d.]*$/u, ""));
}

function basename(program: string | undefined): string {
  return (program ?? "").split("/").at(-1) ?? "";
}
