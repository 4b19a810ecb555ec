import { describe, expect, test } from "vitest";
import { seccompProfile } from "./generate.ts";
import { NOTIFIED_CALLS, notifyProfile } from "./notify-profile.ts";

const plain = seccompProfile();
const notifying = notifyProfile("/run/x.sock");
const ALLOW = "SCMP_ACT_ALLOW";
const NOTIFY = "SCMP_ACT_NOTIFY";

describe("the profile with notifications", () => {
  test("what the plain one allows is allowed or notified, and nothing else is", () => {
    const namesOf = ({ syscalls }: typeof plain, ...actions: string[]) =>
      [...new Set(syscalls.filter(({ action }) => actions.includes(action)).flatMap(({ names }) => names))].toSorted();
    expect(namesOf(notifying, ALLOW, NOTIFY)).toEqual(namesOf(plain, ALLOW));
    expect(namesOf(notifying, NOTIFY)).toEqual(NOTIFIED_CALLS);
    expect(namesOf(notifying, "SCMP_ACT_ERRNO")).toEqual(namesOf(plain, "SCMP_ACT_ERRNO"));
    expect(notifying).toMatchObject({ listenerPath: "/run/x.sock", defaultAction: plain.defaultAction });
  });

  test("every value of the flags of an open meets exactly one rule", () => {
    const rules = notifying.syscalls.filter(({ names }) => names.includes("openat"));
    for (const flags of [0, 1, 2, 3].flatMap((mode) => [0, 0o100, 0o1000, 0o1100].map((bits) => mode | bits))) {
      for (const more of [0, 0o2000000, 0o20200000]) {
        const fitting = rules.filter(({ args: [one] }) => one && ((flags | more) & one.value) === one.valueTwo);
        expect(fitting.map(({ action }) => action)).toEqual([flags === 0 ? ALLOW : NOTIFY]);
      }
    }
  });

  test("runc forbids to notify of write", () => expect(NOTIFIED_CALLS).not.toContain("write"));
});
