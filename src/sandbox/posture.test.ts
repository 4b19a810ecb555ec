import { expect, it } from "vitest";
import { measurePosture, parseStatus } from "./posture.ts";

it("reads how a process is confined", () => {
  const text =
    "Name:\tx\nUid:\t10001\t10001\t10001\t10001\nGid:\t10001\t1\t1\t1\nCapEff:\t0000000000000000\nCapBnd:\t00\nNoNewPrivs:\t1\nSeccomp:\t2\n";
  expect(parseStatus(text)).toEqual({
    cap_eff: "0000000000000000",
    cap_bnd: "00",
    no_new_privs: true,
    seccomp_mode: 2,
    uid: 10001,
    gid: 10001,
  });
});

it("says null, not zero, for what it can't read", () => {
  expect(Object.values(parseStatus("Name:\tx\n"))).toEqual([null, null, null, null, null, null]);
  expect(parseStatus("Uid:\t99999999999999999999\t0\n").uid).toBeNull();
  expect(measurePosture(0x7fffffff).seccomp_mode).toBeNull();
});

it("measures this process", () => {
  expect(measurePosture(process.pid)).toMatchObject({
    uid: process.getuid?.(),
    network_interfaces: expect.arrayContaining(["lo"]),
  });
});
