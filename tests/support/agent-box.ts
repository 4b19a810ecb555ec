import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { ContainerSpec } from "../../src/engine/port.ts";
import { INSIDE, writeNameFiles } from "../../src/sandbox/agent-config.ts";
import { CgroupWatch } from "../../src/sandbox/cgroup.ts";
import { buildContainerSpec } from "../../src/sandbox/container-spec.ts";
import type { KernelCounters } from "../../src/schema/run.ts";
import {
  createEventSink,
  EVENTS_PIPE_NAME,
  type EventSink,
  type EventSinkLimits,
  type EventSinkResult,
} from "../../src/sensors/agent-events/event-sink.ts";
import { removeTree } from "../../src/workspace/remove-tree.ts";
import { type EngineUnderTest, startAndRead } from "./engines.ts";

/** Uid and gid that the container's program runs under. */
const UID = 10_001;

export interface AgentEnd {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  counters: KernelCounters;
  /** What arrived in the pipe for native events. */
  events: EventSinkResult;
  /** Text of the events file. */
  eventLines: string[];
}

/** The directories of one run, and a container as the product describes it, with a shell script in the agent's place. */
export class AgentBox {
  readonly dir: string;
  readonly #under: EngineUnderTest;
  #sink: EventSink;

  constructor(under: EngineUnderTest, limits: Partial<EventSinkLimits> = {}) {
    this.#under = under;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), "agent-box-"));
    fs.chmodSync(this.dir, 0o755);
    for (const name of ["workspace", "home", "tmp", "pipes", "config", "capture", "names"]) fs.mkdirSync(this.at(name));
    for (const name of ["workspace", "home", "tmp"]) fs.chownSync(this.at(name), UID, UID);
    this.#sink = createEventSink({ dir: this.at("pipes"), outFile: this.eventsFile, limits });
  }

  at(name: string): string {
    return path.join(this.dir, name);
  }

  get eventsFile(): string {
    return this.at("capture/events.jsonl");
  }

  spec(script: string, changes: Partial<ContainerSpec> = {}): ContainerSpec {
    const hostDirs = {
      workspace: this.at("workspace"),
      home: this.at("home"),
      tmp: this.at("tmp"),
      pipes: this.at("pipes"),
      config: this.at("config"),
    };
    const product = buildContainerSpec({
      runId: "capture-test",
      owner: "test",
      issue: { id: "test", risk_level: "safe", title: "T", prompt: "P", files: [] },
      imageRef: this.#under.image,
      opencodeBin: "unused",
      seccompProfile: path.join(import.meta.dirname, "../../config/seccomp.json"),
      eventsPipeName: EVENTS_PIPE_NAME,
      hostDirs,
      nameFiles: writeNameFiles(this.at("names")),
    });
    const { name, labels, limits } = this.#under.spec([]);
    const own = { name, labels: { ...product.labels, ...labels }, limits: { ...product.limits, nproc: limits.nproc } };
    return { ...product, ...own, command: ["sh", "-c", script], ...changes };
  }

  /** The product's mounts, one of them replaced or added by its place inside. */
  mountsWith(target: string, source: string, readOnly: boolean): ContainerSpec["mounts"] {
    const others = this.spec("").mounts.filter((mount) => mount.target !== target);
    return [...others, { kind: "bind", source, target, readOnly }];
  }

  /** Runs `script` to its end. `meanwhile` may look at it and end it. */
  async run(
    script: string,
    changes: Partial<ContainerSpec> = {},
    meanwhile: (watch: CgroupWatch) => Promise<void> = () => Promise.resolve(),
  ): Promise<AgentEnd> {
    const { engine } = this.#under;
    const container = await engine.prepare(this.spec(script, changes));
    const watch = CgroupWatch.open(container.pid);
    try {
      const ending = startAndRead(container);
      await meanwhile(watch);
      const { stdout, stderr, exitCode } = await ending;
      const counters = watch.final();
      const events = await this.#sink.close();
      const eventLines = fs.readFileSync(this.eventsFile, "latin1").split("\n").slice(0, 10);
      return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode, counters, events, eventLines };
    } finally {
      await engine.removeContainer(container.id);
    }
  }

  async remove(): Promise<void> {
    await this.#sink.close();
    await removeTree(this.dir);
  }
}

/** The pipe as the agent sees it. */
export const PIPE_INSIDE = `${INSIDE.capture}/${EVENTS_PIPE_NAME}`;
