import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { seccompProfile } from "./generate.ts";

// Run by hand after a change of the groups:
//   node src/sandbox/seccomp/write-profile.ts && biome check --write config/seccomp.json
const target = fileURLToPath(new URL("../../../config/seccomp.json", import.meta.url));
writeFileSync(target, `${JSON.stringify(seccompProfile(), null, 2)}\n`);
