import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exec } from "../../src/core/exec.ts";
import { ENGINE_KINDS, EngineUnderTest, runToEnd, testSpec } from "../support/engines.ts";
import { importTestImage } from "../support/test-image.ts";

describe.each(ENGINE_KINDS)("images of %s", (kind) => {
  let under: EngineUnderTest;
  let dir: string;

  beforeAll(async () => {
    under = await EngineUnderTest.start(kind);
    dir = mkdtempSync(path.join(tmpdir(), "oc-images-"));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await under?.stop();
  });

  const build = (name: string, steps: string[], signal?: AbortSignal, lines: string[] = []): Promise<void> => {
    const context = path.join(dir, name);
    mkdirSync(context);
    writeFileSync(path.join(context, "file"), "copied\n");
    const containerfile = path.join(context, "Containerfile");
    const label = `${under.label}-build`;
    writeFileSync(containerfile, [`FROM ${under.image}`, `LABEL ${label}`, "USER 0:0", ...steps, ""].join("\n"));
    const onLine = (line: string): void => void lines.push(line);
    return under.engine.buildImage(context, containerfile, `${under.image}-${name}`, { signal, onLine });
  };
  const built = () => under.engine.listImages(`${under.label}-build`);

  /** Every container of the engine, working containers of builds included, except those that other tests have. */
  const containers = async (): Promise<string> => {
    const external = kind === "podman" ? ["--external", "--filter", `ancestor=${under.image}`] : [];
    const bin = under.daemon?.dockerBin ?? "podman";
    return (await exec(bin, ["ps", "--all", "--quiet", ...external])).stdout;
  };

  test("an image is known by name and id, with what it declares", async () => {
    const info = await under.engine.inspectImage(under.image);
    expect(info).toMatchObject({ labels: { "org.opencode-capture.image": "test" }, volumes: ["/volume"] });
    expect(info?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(info?.tags).toEqual([under.image]);
    expect(info?.sizeBytes).toBeGreaterThan(1e6);
    expect(Number.isNaN(Date.parse(info?.createdAt ?? ""))).toBe(false);
    expect(await under.engine.inspectImage(info?.id ?? "")).toEqual(info);
    expect((await under.engine.listImages("org.opencode-capture.image=test")).map(({ id }) => id)).toContain(info?.id);
  });

  test("what does not exist is undefined, quiet to remove and can't be pulled", async () => {
    for (const ref of ["localhost/no-such:1", `sha256:${"0".repeat(64)}`, "no-such-name-at-all"]) {
      expect(await under.engine.inspectImage(ref)).toBe(undefined);
      await under.engine.removeImage(ref);
    }
    expect(await under.engine.listImages("org.opencode-capture.test=nothing")).toEqual([]);
    expect(await under.engine.pullImage("localhost:9/no-such:1", { timeoutMs: 20_000 })).toBe(false);
  });

  test("a pull that gets no answer is given up in time", async () => {
    const startedAtMs = performance.now();
    expect(await under.engine.pullImage("192.0.2.1/no-such:1", { timeoutMs: 1_000 })).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(8_000);
  });

  test("a broken tar is an error and leaves no image", async () => {
    const tar = path.join(dir, "broken.tar");
    writeFileSync(tar, Buffer.alloc(100_000, 7));
    const ref = `${under.image}-broken`;
    await expect(under.engine.importImage(tar, ref, [])).rejects.toMatchObject({ code: "engine-failed" });
    await expect(under.engine.importImage(path.join(dir, "none.tar"), ref, [])).rejects.toThrow(/none\.tar/);
    expect(await under.engine.inspectImage(ref)).toBe(undefined);
  });

  test("a Containerfile is built, with its output line by line", async () => {
    const lines: string[] = [];
    await build("good", ["COPY file /file", "RUN echo made >> /file"], undefined, lines);
    expect(lines.join("\n")).toContain("RUN echo made");
    const [image] = await built();
    expect(image?.tags).toEqual([`${under.image}-good`]);
    const { stdout } = await runToEnd(under.engine, testSpec(`${under.image}-good`, ["cat", "/file"]));
    expect(stdout.toString()).toBe("copied\nmade\n");
    await under.engine.removeImage(`${under.image}-good`);
    expect(await built()).toEqual([]);
  });

  test("a build that fails says why and leaves no container", async () => {
    await expect(build("bad", ["RUN echo the reason; exit 9"])).rejects.toMatchObject({
      code: "image-build-failed",
      hint: expect.stringMatching(/the reason[\s\S]*9/),
    });
    expect((await built()).flatMap(({ tags }) => tags)).toEqual([]);
    expect(await containers()).toBe("");
  });

  test("an interrupted build ends, with what runs in it", async () => {
    const lines: string[] = [];
    const temporary = readdirSync("/var/tmp");
    const abort = new AbortController();
    const mark = `sleep 1${Date.now() % 100_000}`;
    const building = build("slow", [`RUN echo begun && ${mark}`], abort.signal, lines);
    const failure = expect(building).rejects.toMatchObject({ code: "image-build-failed" });
    await expect.poll(() => lines.filter((line) => line === "begun").length, { timeout: 120_000 }).toBe(1);
    abort.abort();
    await failure;
    await expect.poll(() => containers(), { timeout: 120_000 }).toBe("");
    expect((await exec("pgrep", ["-f", `^${mark}$`])).stdout).toBe("");
    await expect.poll(() => readdirSync("/var/tmp").filter((name) => !temporary.includes(name))).toEqual([]);
    expect((await built()).flatMap(({ tags }) => tags)).toEqual([]);
  });

  test("OpenCode runs in an image that has little else, under any name", async () => {
    const ref = `${under.image}-opencode`;
    await importTestImage(under.engine, ref, { opencode: true, bin: "my-agent" });
    const tmpfs = { kind: "tmpfs" as const, sizeBytes: 32 * 1024 ** 2, exec: true, mode: "1777" };
    const mounts = ["/tmp", "/home/agent"].map((target) => ({ ...tmpfs, target }));
    const limits = { cpus: 2, memoryBytes: 1024 ** 3, pids: 64, nofile: 1024, nproc: 4096 };
    const spec = testSpec(ref, ["my-agent", "--version"], { mounts, limits, env: { HOME: "/home/agent" } });
    const { stdout, exitCode } = await runToEnd(under.engine, spec);
    await under.engine.removeImage(ref);
    expect(stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(exitCode).toBe(0);
  });
});
