import { access, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { CaptureError } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import { type AptSource, distributionStanzas, parseAptSources } from "./apt-source-list.ts";

/** Where this machine's own package manager gets the distribution from. */
export interface AptSetup {
  /** Code name of the release, for example `bookworm`. */
  suite: string;
  /** Text of a deb822 `.sources` file; third-party sources are left out. */
  sources: string;
  /** Settings of this machine that a download needs (proxy, tolerance of old mirrors), as `--aptopt` takes them. */
  options: readonly string[];
}

/** The components that hold what packages.txt names, and the keyring for sources that name none. */
const DISTRIBUTIONS: Readonly<Record<string, { components: readonly string[]; keyring: string }>> = {
  debian: { components: ["main"], keyring: "/usr/share/keyrings/debian-archive-keyring.gpg" },
  ubuntu: { components: ["main", "universe"], keyring: "/usr/share/keyrings/ubuntu-archive-keyring.gpg" },
};
const NEEDED_SETTINGS = /^Acquire::(https?::Proxy|https?::Verify|https?::CaInfo|Check-Valid-Until|Check-Date|Retries)/;

/** Reads how apt is set up here; CaptureError `image-build-failed` where that is no Debian or Ubuntu. `root` is for tests. */
export async function readAptSetup(root = "/"): Promise<AptSetup> {
  const os = parseOsRelease(await readText(path.join(root, "etc/os-release")));
  const distribution = DISTRIBUTIONS[os.ID ?? ""];
  const suite = os.VERSION_CODENAME ?? "";
  if (distribution === undefined || suite === "") {
    throw unavailable(`this machine is ${os.PRETTY_NAME ?? "unknown"}, not Debian or Ubuntu`);
  }
  const { components, keyring } = distribution;
  const suites = [suite, `${suite}-updates`, `${suite}-security`];
  const knownKeyring = (await exists(keyring)) ? keyring : undefined;
  const sources = distributionStanzas(await readSources(root), suites, components, knownKeyring);
  if (sources === "") throw unavailable(`apt has no source for ${suite} in /etc/apt`);
  const dump = await exec("apt-config", ["dump"]);
  return { suite, sources, options: dump.stdout.split("\n").filter(isNeededSetting) };
}

function isNeededSetting(line: string): boolean {
  return NEEDED_SETTINGS.test(line) && !line.endsWith(' "";');
}

async function readSources(root: string): Promise<AptSource[]> {
  const dir = path.join(root, "etc/apt/sources.list.d");
  const names = (await readdir(dir).catch(() => [])).filter((name) => /^[\w.-]+\.(list|sources)$/.test(name)).sort();
  const files = [path.join(root, "etc/apt/sources.list"), ...names.map((name) => path.join(dir, name))];
  const parsed = files.map(async (file) =>
    parseAptSources(await readText(file), file.endsWith(".sources") ? "deb822" : "one-line"),
  );
  return (await Promise.all(parsed)).flat();
}

/** The KEY=value lines of os-release(5), without quotes. */
function parseOsRelease(text: string): Record<string, string | undefined> {
  const entries = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(
    ([, key = "", value = ""]) => [key, value.replace(/^(["'])(.*)\1$/, "$2")] as const,
  );
  return Object.fromEntries(entries);
}

function unavailable(why: string): CaptureError {
  return new CaptureError("image-build-failed", `the image can't be built from distribution packages: ${why}`, {
    hint: "on another distribution the image needs a reachable registry, or give a ready one with --image-ref",
  });
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
