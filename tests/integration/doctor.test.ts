import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { which } from "../support/setup-tree.ts";

let bin: string;

beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), "doctor-"));
  await symlink(await which("nsenter"), join(bin, "nsenter"));
});

afterAll(async () => {
  await rm(bin, { recursive: true });
});

interface Check {
  id: string;
  ok: string;
  detail: string;
  fix?: string;
}

it("says what this machine can do", async () => {
  const { code, stdout, stderr } = await runCli(["doctor", "--json"]);
  const report = JSON.parse(stdout) as { ready: boolean; checks: Check[] };
  const byId = new Map(report.checks.map((check) => [check.id, check]));
  expect(stderr).toBe("");
  expect([...byId.keys()]).toEqual(
    expect.arrayContaining(["node", "system", "rights", "docker", "podman", "engine", "image", "image-build"]),
  );
  expect(byId.get("file-witness")).toMatchObject({ ok: "yes", detail: expect.stringMatching(/^fanotify/) });
  expect(byId.get("packets")).toMatchObject({ ok: "yes" });
  expect(byId.get("sensor")).toMatchObject({ ok: "yes", detail: expect.stringMatching(/^kernel: it loads and sees/) });
  expect(byId.get("seccomp-listener")).toMatchObject({ ok: "yes" });
  expect(byId.get("podman")).toMatchObject({ ok: "yes", detail: expect.stringMatching(/runtime (runc|crun)/) });
  expect(byId.get("namespace-entry")?.ok).toBe("yes");
  expect(report.ready).toBe(true);
  expect(code).toBe(0);
});

it("without an engine it is not ready, and gives a command for each 'no'", async () => {
  const { code, stdout } = await runCli(["doctor", "--json"], { PATH: bin });
  const report = JSON.parse(stdout) as { ready: boolean; checks: Check[] };
  const missing = report.checks.filter((check) => check.ok === "no");
  expect(missing.map((check) => check.id)).toEqual(expect.arrayContaining(["docker", "podman", "engine"]));
  for (const check of missing) expect(check.fix).toBeTruthy();
  expect(report.ready).toBe(false);
  expect(code).toBe(3);
});

it("is readable as text", async () => {
  const { stdout } = await runCli(["doctor"], { PATH: bin });
  expect(stdout).toMatch(/^ {2}yes {3}Node /m);
  expect(stdout).toMatch(/^ {2}no {4}Engine in use +none\n +→ scripts\/setup\.sh run$/m);
  expect(stdout).toMatch(/Not ready: .*\n$/);
});
