import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { isoNow } from "../core/clock.ts";
import type { Mount } from "../engine/port.ts";
import { UNKNOWN_POSTURE } from "../sandbox/posture.ts";
import { SCHEMA_VERSION } from "../schema/common.ts";
import type { ContainerRecord } from "../schema/container.ts";
import type { RunState } from "./run-state.ts";

/** Label on our images that names OpenCode's version. */
const OPENCODE_VERSION_LABEL = "org.opencode-capture.opencode-version";

/** What is known of the container only at its end. */
interface AtTheEnd {
  /** By the session store. */
  opencodeVersion: string | null;
  engineInspect: unknown;
}

/** `meta/container.json`; written when the container is ready, and again when it is gone. */
export function containerRecordOf(run: RunState, end: AtTheEnd): ContainerRecord {
  const { plan, spec } = run;
  const { description } = plan.engine;
  return {
    schema_version: SCHEMA_VERSION,
    generated_at: isoNow(),
    engine: {
      kind: description.kind,
      bin: description.bin,
      version: description.version,
      runtime: description.runtime,
      runtime_version: description.runtimeVersion ?? null,
      rootless: description.rootless,
      cgroup_version: description.cgroupVersion,
      storage_driver: description.storageDriver ?? null,
    },
    image: {
      ref: plan.imageRef,
      id: plan.image.id,
      digests: [...plan.image.digests],
      labels: { ...plan.image.labels },
      size_bytes: plan.image.sizeBytes,
      created_at: plan.image.createdAt,
      architecture: plan.image.architecture,
    },
    opencode_version: end.opencodeVersion ?? plan.image.labels[OPENCODE_VERSION_LABEL] ?? null,
    container: {
      id: run.container?.id ?? "",
      name: spec.name,
      command: [...spec.command],
      user: spec.user,
      workdir: spec.workdir,
      hostname: spec.hostname,
      env_names: Object.keys(spec.env),
      labels: { ...spec.labels },
      mounts: spec.mounts.map(mountRecord),
      limits: {
        cpus: spec.limits.cpus,
        memory_bytes: spec.limits.memoryBytes,
        pids: spec.limits.pids,
        nofile: spec.limits.nofile,
        nproc: spec.limits.nproc,
      },
      network: "none",
      read_only_root: true,
      seccomp_sha256: createHash("sha256").update(fs.readFileSync(spec.seccompProfile)).digest("hex"),
    },
    measured: run.posture ?? UNKNOWN_POSTURE,
    state_times: { created_at: run.createdAt, started_at: run.agentStartedAt, exited_at: run.exitedAt },
    engine_inspect: end.engineInspect,
  };
}

function mountRecord(mount: Mount): ContainerRecord["container"]["mounts"][number] {
  return mount.kind === "bind"
    ? { kind: "bind", source: mount.source, target: mount.target, read_only: mount.readOnly }
    : { kind: "tmpfs", source: null, target: mount.target, read_only: false };
}
