import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";

const manifest = z.object({ version: z.string() });
let known: string | undefined;

/** Version of this program, from its package.json. */
export function toolVersion(): string {
  const file = path.join(import.meta.dirname, "..", "..", "package.json");
  known ??= manifest.parse(JSON.parse(fs.readFileSync(file, "utf8"))).version;
  return known;
}
