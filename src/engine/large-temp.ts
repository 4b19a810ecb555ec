import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Where large temporary files belong: /tmp is often kept in memory. */
const LARGE_TEMP = "/var/tmp";

/** Runs `use` with a temporary directory for large files; a client that is killed in it leaves nothing elsewhere. */
export async function withLargeTemp<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const parent = await access(LARGE_TEMP).then(
    () => LARGE_TEMP,
    () => tmpdir(),
  );
  const dir = await mkdtemp(path.join(parent, "opencode-capture-"));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
