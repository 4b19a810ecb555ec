import * as fs from "node:fs";
import * as path from "node:path";

/**
 * Directory that this program came in: its configuration, plugin, image recipe and viewer stand there. Looked for, because
 * the built program stands at another depth than its sources.
 */
export const PACKAGE_ROOT = nearestPackage(import.meta.dirname);

function nearestPackage(start: string): string {
  for (let dir = start; ; dir = path.dirname(dir)) {
    if (fs.existsSync(path.join(dir, "package.json")) || path.dirname(dir) === dir) return dir;
  }
}

let version: string | undefined;

/** Version in package.json. */
export function toolVersion(): string {
  if (version === undefined) {
    const manifest = JSON.parse(fs.readFileSync(path.join(PACKAGE_ROOT, "package.json"), "utf8")) as {
      version: string;
    };
    version = manifest.version;
  }
  return version;
}
