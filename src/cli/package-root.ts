import * as fs from "node:fs";
import * as path from "node:path";

/** Directory that this program came in: its configuration, plugin and image recipe stand there. */
export const PACKAGE_ROOT = path.resolve(import.meta.dirname, "..", "..");

/** Version in package.json. */
export function toolVersion(): string {
  const manifest = JSON.parse(fs.readFileSync(path.join(PACKAGE_ROOT, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}
