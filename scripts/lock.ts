import { readFileSync, writeFileSync } from "node:fs";

/**
 * npm writes no lock entry for a platform package that it could not find in the registry at hand, and `npm ci` then
 * refuses the lock file on every machine. This finds such holes (`node scripts/lock.ts`) and fills them
 * (`node scripts/lock.ts --complete`, after `npm install`). A filled entry has a version and the platform, read from the
 * name, and no checksum: npm fetches it on that platform only.
 */
interface LockEntry {
  version?: string;
  optionalDependencies?: Record<string, string>;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

interface Lock {
  packages: Record<string, LockEntry>;
}

const OS = ["darwin", "win32", "android", "freebsd", "netbsd", "openbsd", "sunos", "aix", "openharmony", "linux"];
const CPU = ["arm64", "x64", "ia32", "arm", "ppc64", "riscv64", "s390x", "loong64", "wasm32"];

/** Looks a dependency up as Node does: beside the package, then in every folder above. */
function isLocked(lock: Lock, dependent: string, name: string): boolean {
  let base = dependent;
  for (;;) {
    const key = `${base === "" ? "" : `${base}/`}node_modules/${name}`;
    if (key in lock.packages) return true;
    if (base === "") return false;
    base = base.slice(0, Math.max(0, base.lastIndexOf("node_modules/") - 1));
  }
}

function missingEntries(lock: Lock): Map<string, LockEntry> {
  const missing = new Map<string, LockEntry>();
  for (const [key, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isLocked(lock, key, name)) missing.set(`node_modules/${name}`, entryFor(name, range, entry.dev === true));
    }
  }
  return missing;
}

function entryFor(name: string, range: string, dev: boolean): LockEntry {
  const words = name.split(/[^a-z0-9]+/);
  const os = OS.find((one) => words.includes(one)) ?? (name === "fsevents" ? "darwin" : undefined);
  const cpu = CPU.find((one) => words.includes(one));
  return {
    version: range.replace(/^[\^~]/, ""),
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(dev ? { dev } : {}),
    ...(os === "linux" && name.includes("musl") ? { libc: ["musl"] } : {}),
    optional: true,
    ...(os === undefined ? {} : { os: [os] }),
  };
}

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock;
const missing = missingEntries(lock);
if (missing.size > 0 && process.argv.includes("--complete")) {
  Object.assign(lock.packages, Object.fromEntries(missing));
  const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
  lock.packages = Object.fromEntries(sorted);
  writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`added ${missing.size} platform packages`);
} else if (missing.size > 0) {
  console.log(`package-lock.json lacks ${missing.size} platform packages, so that npm ci refuses it everywhere, e.g.:`);
  for (const key of [...missing.keys()].slice(0, 5)) console.log(`  ${key}`);
  console.log("mend it with: node_modules/.bin/node scripts/lock.ts --complete");
  process.exitCode = 1;
}
