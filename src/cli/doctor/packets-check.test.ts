import { expect, it } from "vitest";
import { tryPackets } from "../../sensors/packets/packet-process.ts";
import { checkPackets } from "./packets-check.ts";

it("says what is missing, and how to mend it", async () => {
  expect(checkPackets(undefined)).toMatchObject({ id: "packets", ok: "yes" });
  expect(checkPackets(await tryPackets("/nowhere/capture-packets"))).toMatchObject({
    ok: "warn",
    detail: expect.stringMatching(/^packets are not recorded.*is not built/),
    fix: "scripts/build-sensor.sh",
  });
  // A program that can't do it, with a reason that is no JSON.
  expect(checkPackets(await tryPackets("/bin/false"))).toMatchObject({
    ok: "warn",
    detail: expect.stringContaining("exit code 1"),
  });
});
