import { expect, test } from "vitest";
import { createArgs } from "./create-args.ts";
import { DIALECTS } from "./dialect.ts";
import type { ContainerSpec, EngineKind } from "./port.ts";

const SPEC: ContainerSpec = {
  name: "run-1",
  image: "localhost/agent:1",
  command: ["opencode", "run"],
  env: { A: "1\n2" },
  labels: { "org.example.run": "run-1" },
  user: "10001:10001",
  workdir: "/workspace",
  hostname: "sandbox",
  mounts: [
    { kind: "bind", source: '/data/a,b:"c"', target: "/workspace", readOnly: true },
    { kind: "tmpfs", target: "/tmp", sizeBytes: 1024, exec: false, mode: "1777" },
  ],
  limits: { cpus: 2, memoryBytes: 4096, pids: 256, nofile: 1024, nproc: 4096 },
  seccompProfile: "/etc/profile.json",
};

function argsOf(kind: EngineKind, imageVolumes: string[] = []): string[] {
  return createArgs(SPEC, { dialect: DIALECTS[kind], pidFile: "/run/pid", cap: { nofile: 512 }, imageVolumes });
}

function valuesOf(args: readonly string[], flag: string): (string | undefined)[] {
  return args.flatMap((arg, index) => (arg === flag ? [args[index + 1]] : []));
}

test.each(["docker", "podman"] as const)("%s gets every part of the specification", (kind) => {
  const args = argsOf(kind);
  expect(args.slice(0, 4)).toEqual(["create", "--interactive", "--pull", "never"]);
  expect(valuesOf(args, "--mount")).toEqual(['"type=bind","source=/data/a,b:""c""","target=/workspace","readonly"']);
  expect(valuesOf(args, "--memory")).toEqual(valuesOf(args, "--memory-swap"));
  expect(valuesOf(args, "--ulimit")).toEqual(["nofile=512:512", "nproc=4096:4096", "core=0:0"]);
  expect(valuesOf(args, "--security-opt")).toEqual(["no-new-privileges", "seccomp=/etc/profile.json"]);
  expect(valuesOf(args, "--env")).toEqual(["A=1\n2"]);
  expect(valuesOf(args, "--label")).toEqual(["org.example.run=run-1"]);
  expect(valuesOf(args, "--tmpfs")[0]).toMatch(/^\/tmp:rw,nosuid,nodev,noexec,mode=1777,size=1024/);
});

test("podman starts the program itself, docker a gate before it", () => {
  const podman = argsOf("podman");
  expect(valuesOf(podman, "--entrypoint")).toEqual(['["opencode"]']);
  expect(podman.slice(podman.indexOf(SPEC.image))).toEqual([SPEC.image, "run"]);
  expect(valuesOf(podman, "--pidfile")).toEqual(["/run/pid"]);
  const docker = argsOf("docker");
  expect(valuesOf(docker, "--entrypoint")).toEqual(["/bin/sh"]);
  expect(docker.slice(-4)).toEqual([expect.stringContaining("read"), "gate", "opencode", "run"]);
});

test("volumes of the image are covered unless something is mounted there anyway", () => {
  const tmpfs = valuesOf(argsOf("docker", ["/var/lib/data", "/workspace"]), "--tmpfs");
  expect(tmpfs).toHaveLength(2);
  expect(tmpfs[0]).toMatch(/^\/tmp:/);
  expect(tmpfs[1]).toMatch(/^\/var\/lib\/data:ro,/);
});
