import { chown, mkdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { REPOSITORY, runScript, SetupTree, which } from "../support/setup-tree.ts";

let tree: SetupTree;

beforeEach(async () => {
  tree = await SetupTree.create();
});

afterEach(async () => {
  await tree.remove();
});

/** What npm would bring, as far as set-up looks at it. */
const NPM_CI = `mkdir -p node_modules/.bin && ln -sf "${process.execPath}" node_modules/.bin/node`;
const NPM = `case "$1" in
  ci) ${NPM_CI} ;;
  run)
    case "$3" in
      build:program) out=dist ;;
      build:web) out=web/dist ;;
    esac
    mkdir -p "$out" && echo built >"$out/built.js"
    ;;
esac`;

describe("in this repository, which is set up", () => {
  /** The machine's PATH behind programs that refuse: whatever goes wrong, this repository is not set up anew. */
  async function guarded(): Promise<Record<string, string>> {
    const guard = join(tree.dir, "guard");
    await mkdir(guard);
    for (const name of ["npm", "apt-get", "sudo"]) {
      await tree.standIn(name, "exit 1");
      await symlink(join(tree.bin, name), join(guard, name));
    }
    return { PATH: [guard, process.env["PATH"]].join(delimiter), HOME: process.env["HOME"] ?? "/" };
  }

  it("the second call says nothing and calls neither npm nor apt", async () => {
    const env = await guarded();
    for (const mode of ["node", "browse", "run", "test"]) {
      const result = await runScript([join(REPOSITORY, "scripts/setup.sh"), mode], { env });
      expect(result).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    }
    expect(await tree.calls()).toEqual([]);
  });

  it("each script starts through a symbolic link, from any directory", async () => {
    const env = await guarded();
    for (const name of ["run_opencode_capture.sh", "run_all_captures.sh", "run_capture_browser.sh"]) {
      const link = join(tree.root, `link to ${name}`);
      await symlink(join(REPOSITORY, "scripts", name), link);
      const result = await runScript([link, "--help"], { cwd: tree.dir, env });
      expect(result.stderr).toBe("");
      expect(result.stdout).toContain("Usage: opencode-capture");
      expect(result.exitCode).toBe(0);
    }
  });
});

describe("what is missing and can't be installed", () => {
  const asNobody = (): string[] =>
    process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];

  /** Runs set-up where /etc/os-release has this content. */
  async function onDistribution(osRelease: string, mode: string) {
    const file = join(tree.dir, "os-release");
    await writeFile(file, osRelease);
    const script = 'mount --bind "$1" /etc/os-release && shift && exec "$@"';
    const unshare = await which("unshare");
    const before = [unshare, "--map-root-user", "--mount", "bash", "-c", script, "bash", file];
    await symlink(await which("mount"), join(tree.bin, "mount"));
    return tree.setup(mode, before);
  }

  it("without root and sudo it says what to install and changes nothing", async () => {
    await tree.standIn("npm", "exit 1");
    await symlink(await which("setpriv"), join(tree.bin, "setpriv")).catch(() => {});
    const before = await tree.listing();
    const result = await tree.setup("run", asNobody());
    expect(result.stderr).toContain("installing needs root");
    expect(result.stderr).toContain("apt-get install -y --no-install-recommends podman runc uidmap mmdebstrap\n");
    expect(result.stderr).toContain("nothing was changed");
    expect(result.exitCode).toBe(3);
    expect(await tree.calls()).toEqual([]);
    expect(await tree.listing()).toEqual(before);
  });

  it("a sudo that wants a password is no way without a terminal", async () => {
    await tree.standIn("npm", "exit 1");
    await tree.standIn("sudo", "exit 1");
    await symlink(await which("setpriv"), join(tree.bin, "setpriv")).catch(() => {});
    const result = await tree.setup("test", asNobody());
    expect(result.stderr).toContain(
      "install -y --no-install-recommends podman runc uidmap mmdebstrap docker.io chromium strace\n",
    );
    expect(result.exitCode).toBe(3);
    expect(await tree.calls()).toEqual([]);
  });

  it.each([
    ["fedora", 'ID=fedora\nVERSION_ID=43\nPRETTY_NAME="Fedora Linux 43"\n', "dnf install -y podman runc\n"],
    ["rocky", 'ID=rocky\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Rocky 9"\n', "dnf install -y podman runc\n"],
    ["arch", 'ID=arch\nPRETTY_NAME="Arch Linux"\n', "pacman -S --needed podman runc\n"],
    ["opensuse", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "zypper install -y podman runc\n"],
    [
      "ubuntu",
      "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04\n",
      "apt-get install -y --no-install-recommends podman runc uidmap mmdebstrap\n",
    ],
    [
      "old debian",
      "ID=debian\nVERSION_ID=11\n",
      "apt-get install -y --no-install-recommends podman runc uidmap mmdebstrap\n",
    ],
    ["an unknown one", "ID=novel\n", "install what your distribution calls so"],
  ])("on %s it gives the command and changes nothing, also as root", async (_name, osRelease, says) => {
    for (const name of ["npm", "apt-get", "dnf", "pacman", "zypper"]) await tree.standIn(name, "exit 1");
    const before = await tree.listing();
    const result = await onDistribution(osRelease, "run");
    expect(result.stderr).toContain(says);
    expect(result.stderr).toContain("set-up installs nothing by itself");
    expect(result.exitCode).toBe(3);
    expect(await tree.calls()).toEqual([]);
    expect(await tree.listing()).toEqual(before);
  });

  it("without npm it names it, whatever else is missing", async () => {
    const result = await tree.setup("run");
    expect(result.stderr).toContain("npm is missing");
    expect(result.exitCode).toBe(3);
  });

  it("to look at captures no engine is needed", async () => {
    await tree.standIn("npm", NPM);
    expect((await tree.setup("browse")).exitCode).toBe(0);
  });
});

describe("installing", () => {
  it("two at once install once", async () => {
    await tree.standIn("npm", `sleep 1; ${NPM}`);
    const results = await Promise.all([tree.setup("node"), tree.setup("node"), tree.setup("node")]);
    expect(results.map((result) => result.exitCode)).toEqual([0, 0, 0]);
    expect(await tree.calls()).toHaveLength(1);
    expect(results.filter((result) => result.stderr.includes("another set-up is at work"))).toHaveLength(2);
  });

  it("a failed step shows the end of its log, and the next call does it again", async () => {
    await tree.standIn("npm", 'for i in $(seq 1 50); do echo "line $i"; done; echo "the reason" >&2; exit 1');
    await symlink(await which("seq"), join(tree.bin, "seq"));
    const failed = await tree.setup("node");
    expect(failed.exitCode).toBe(3);
    expect(failed.stderr).toContain("line 1\n");
    expect(failed.stderr).toContain("the reason");
    await tree.standIn("npm", NPM);
    expect((await tree.setup("node")).exitCode).toBe(0);
  });

  it("a changed lock file installs again", async () => {
    await tree.standIn("npm", NPM);
    await tree.setup("node");
    await tree.write("package-lock.json", '{ "changed": true }\n');
    await tree.setup("node");
    await tree.setup("node");
    expect((await tree.calls()).map((call) => call.slice(0, 6))).toEqual(["npm ci", "npm ci"]);
  });

  it.each([
    { build: "build:web", mode: "browse", config: "web/vite.config.ts", own: "web/src", dist: "web/dist" },
    { build: "build:program", mode: "node", config: "vite.program.config.ts", own: "src/cli", dist: "dist" },
  ])("does $build when one of its files has changed, and only then", async ({ build, mode, config, own, dist }) => {
    await tree.standIn("npm", NPM);
    await tree.write(config, "");
    await tree.write(`${own}/main.ts`, "1");
    await tree.write("src/schema/run.ts", "1");
    const builds = async (): Promise<number> => {
      expect((await tree.setup(mode)).exitCode).toBe(0);
      return (await tree.calls()).filter((call) => call.includes(build)).length;
    };
    expect(await builds()).toBe(1);
    expect(await builds()).toBe(0);
    await tree.write("src/schema/run.ts", "2");
    expect(await builds()).toBe(1);
    await tree.write(`${own}/new.ts`, "1");
    expect(await builds()).toBe(1);
    await rm(join(tree.root, dist), { recursive: true });
    expect(await builds()).toBe(1);
    await tree.write(`${own}/new.test.ts`, "1");
    expect(await builds()).toBe(0);
  });

  it("under sudo, what it makes belongs to the user who called", async () => {
    const asRoot = process.getuid?.() === 0;
    const caller = asRoot ? 12_345 : (process.getuid?.() ?? 0);
    await tree.standIn("npm", NPM);
    if (asRoot) await chown(tree.root, caller, caller);
    await tree.setup("node", [], { SUDO_UID: String(caller), SUDO_GID: String(caller) });
    for (const name of [".cache/setup/node-packages", "node_modules/.bin"]) {
      expect((await stat(join(tree.root, name))).uid).toBe(caller);
    }
  });

  it("knows its modes", async () => {
    expect((await tree.setup("everything")).exitCode).toBe(2);
  });
});
