import * as os from "node:os";
import * as path from "node:path";

/** Where things are kept that can be made again: probed engines, parts of the image. */
export function cacheDirectory(): string {
  const base = process.env["XDG_CACHE_HOME"];
  return path.join(
    base !== undefined && path.isAbsolute(base) ? base : path.join(os.homedir(), ".cache"),
    "opencode-capture",
  );
}
