import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { buffer } from "node:stream/consumers";
import type { ContainerEngine, ContainerSpec, EngineKind, PreparedContainer } from "../../src/engine/port.ts";
import { selectEngine } from "../../src/engine/select.ts";
import { type DockerDaemon, startDockerDaemon } from "./docker-daemon.ts";
import { importTestImage } from "./test-image.ts";

export const ENGINE_KINDS: readonly EngineKind[] = ["podman", "docker"];

/** One real engine with the minimal image, for one test file. Everything made with it carries `label`. */
export class EngineUnderTest {
  readonly engine: ContainerEngine;
  readonly daemon: DockerDaemon | undefined;
  readonly image: string;
  readonly label: string;

  private constructor(engine: ContainerEngine, daemon: DockerDaemon | undefined, id: string) {
    this.engine = engine;
    this.daemon = daemon;
    this.image = `localhost/opencode-capture-test:${id}`;
    this.label = `org.opencode-capture.test=${id}`;
  }

  /** Podman as the machine has it; Docker from a daemon that is started for this. */
  static async start(kind: EngineKind): Promise<EngineUnderTest> {
    const daemon = kind === "docker" ? await startDockerDaemon() : undefined;
    const engine = await selectEngine({ engine: kind, dockerHost: daemon?.host });
    const started = new EngineUnderTest(engine, daemon, randomUUID().slice(0, 8));
    await importTestImage(engine, started.image);
    return started;
  }

  async stop(): Promise<void> {
    if (this.daemon === undefined) {
      for (const { id } of await this.engine.listContainers(this.label)) await this.engine.removeContainer(id);
      await this.engine.removeImage(this.image);
    }
    await this.daemon?.stop();
  }

  spec(command: readonly string[], changes: Partial<ContainerSpec> = {}): ContainerSpec {
    return testSpec(this.image, command, { ...changes, labels: { ...labelOf(this.label), ...changes.labels } });
  }

  /** Runs a container to its end, gives it `input`, and removes it. */
  run(command: readonly string[], changes: Partial<ContainerSpec> = {}, input: string | Buffer = ""): Promise<Ended> {
    return runToEnd(this.engine, this.spec(command, changes), input);
  }
}

function labelOf(label: string): Record<string, string> {
  const [key = "", value = ""] = label.split("=");
  return { [key]: value };
}

/** A locked-down container with small limits. */
export function testSpec(
  image: string,
  command: readonly string[],
  changes: Partial<ContainerSpec> = {},
): ContainerSpec {
  return {
    name: `oc-test-${randomUUID().slice(0, 12)}`,
    image,
    command,
    env: {},
    labels: {},
    user: "10001:10001",
    workdir: "/",
    hostname: "sandbox",
    mounts: [],
    limits: { cpus: 1, memoryBytes: 256 * 1024 ** 2, pids: 64, nofile: 1024, nproc: 4096 },
    seccompProfile: path.join(import.meta.dirname, "../../config/seccomp.json"),
    ...changes,
  };
}

export async function runToEnd(
  engine: ContainerEngine,
  spec: ContainerSpec,
  input: string | Buffer = "",
): Promise<Ended> {
  const container = await engine.prepare(spec);
  try {
    return await startAndRead(container, input);
  } finally {
    await engine.removeContainer(container.id);
  }
}

export interface Ended {
  stdout: Buffer;
  stderr: Buffer;
  exitCode: number | null;
  engineError: string | undefined;
}

export async function startAndRead(container: PreparedContainer, input: string | Buffer = ""): Promise<Ended> {
  const running = container.start();
  running.stdin.end(input);
  const [stdout, stderr, end] = await Promise.all([buffer(running.stdout), buffer(running.stderr), running.exited]);
  return { stdout, stderr, ...end };
}
