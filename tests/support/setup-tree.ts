import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";

export const REPOSITORY = resolve(import.meta.dirname, "../..");

export interface ScriptResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end with exactly this environment. */
export function runScript(
  command: readonly string[],
  options: { cwd?: string; env: Readonly<Record<string, string>> },
): Promise<ScriptResult> {
  const [file = "", ...args] = command;
  return new Promise((done) => {
    const child = execFile(file, args, { ...options, maxBuffer: 8 << 20 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      done({ exitCode, stdout, stderr });
    });
    child.stdin?.end();
  });
}

/** What set-up itself runs, and nothing else of the machine. */
const BASE_TOOLS = [
  ..."awk bash cat chmod chown cut date dirname env find flock git grep head id ln ls mkdir mktemp nsenter readlink".split(
    " ",
  ),
  ..."rm sed sha256sum sleep sort stat tail timeout touch tr uname wc".split(" "),
];

/**
 * A copy of the set-up scripts in a directory of their own, and a PATH on which only plain tools stand and stand-ins for
 * what set-up must or must not call. Each stand-in writes down that it was called.
 */
export class SetupTree {
  readonly dir: string;
  readonly root: string;
  readonly bin: string;

  private constructor(dir: string) {
    this.dir = dir;
    this.root = join(dir, "a clone");
    this.bin = join(dir, "bin");
  }

  static async create(): Promise<SetupTree> {
    const tree = new SetupTree(await mkdtemp(join(tmpdir(), "setup-")));
    await mkdir(tree.root);
    await mkdir(tree.bin);
    await cp(join(REPOSITORY, "scripts"), join(tree.root, "scripts"), { recursive: true });
    await tree.write("package-lock.json", "{}\n");
    for (const tool of BASE_TOOLS) await symlink(await which(tool), join(tree.bin, tool));
    await symlink(process.execPath, join(tree.bin, "node"));
    // Also other users must be able to read it.
    await chmod(tree.dir, 0o755);
    return tree;
  }

  /** Puts a program on the PATH that notes its arguments and then runs `body`. */
  async standIn(name: string, body: string): Promise<void> {
    const file = join(this.bin, name);
    await writeFile(file, `#!/bin/bash\necho "${name} $*" >>"${join(this.dir, "calls")}"\n${body}\n`);
    await chmod(file, 0o755);
  }

  /** Calls of the stand-ins since the last time, in their order. */
  async calls(): Promise<string[]> {
    const file = join(this.dir, "calls");
    const text = await readFile(file, "utf8").catch(() => "");
    await rm(file, { force: true });
    return text.split("\n").filter((line) => line !== "");
  }

  async write(name: string, text: string): Promise<void> {
    const file = join(this.root, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /** `before`: a command that the script is run by, such as `setpriv`. */
  setup(
    mode: string,
    before: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ScriptResult> {
    return runScript([...before, join(this.root, "scripts/setup.sh"), mode], {
      env: { PATH: this.bin, HOME: this.dir, ...env },
    });
  }

  /** Everything below the clone, to see that nothing was changed. */
  async listing(): Promise<string[]> {
    return (await readdir(this.root, { recursive: true })).toSorted();
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Absolute path of a program on this process's PATH. */
export async function which(name: string): Promise<string> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const names = await readdir(folder).catch((): string[] => []);
    if (names.includes(name)) return join(folder, name);
  }
  throw new Error(`${name} is not on the PATH`);
}
