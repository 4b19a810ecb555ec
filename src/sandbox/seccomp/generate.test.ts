import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ALLOWED_GROUPS } from "./allowed-groups.ts";
import { ARGUMENT_RULES } from "./argument-rules.ts";
import { seccompProfile } from "./generate.ts";
import { REFUSED_GROUPS } from "./refused-groups.ts";

const allowed = ALLOWED_GROUPS.flatMap((group) => group.names);
const refused = REFUSED_GROUPS.flatMap((group) => group.names);
const byArgument = new Set(ARGUMENT_RULES.flatMap((rule) => rule.names));

describe("the seccomp profile", () => {
  test("config/seccomp.json is up to date (else: node src/sandbox/seccomp/write-profile.ts)", () => {
    const file = readFileSync(new URL("../../../config/seccomp.json", import.meta.url), "utf8");
    expect(JSON.parse(file)).toEqual(seccompProfile());
  });

  test("each call stands in one place only", () => {
    expect(new Set(allowed).size).toBe(allowed.length);
    expect(new Set(refused).size).toBe(refused.length);
    const once = [...allowed, ...refused, ...byArgument];
    expect(new Set(once).size).toBe(once.length);
  });

  test("what must never be reachable is not allowed", () => {
    const never = ["unshare", "setns", "mount", "bpf", "ptrace", "keyctl", "io_uring_setup", "clone3", "userfaultfd"];
    expect(allowed.filter((name) => never.includes(name))).toEqual([]);
  });

  test("calls that depend on arguments have no rule without conditions beside them", () => {
    // libseccomp lets a rule without conditions win over every other rule of the same call.
    const bare = ARGUMENT_RULES.filter((rule) => rule.conditions.length === 0).flatMap((rule) => rule.names);
    expect(bare).toEqual(["clone3"]);
  });

  test("a rule never holds two conditions on one argument", () => {
    // runc and libseccomp would read them as alternatives.
    for (const rule of ARGUMENT_RULES) {
      const indices = rule.conditions.map((condition) => condition.index);
      expect(new Set(indices).size).toBe(indices.length);
    }
  });

  test("every group says why", () => {
    for (const rule of seccompProfile().syscalls) expect(rule.comment.length).toBeGreaterThan(20);
  });

  test("no other call table than the native one is reachable", () => {
    expect(seccompProfile().archMap.flatMap((arch) => arch.subArchitectures)).toEqual([]);
  });
});
