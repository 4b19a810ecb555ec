import * as z from "zod";
import { count, schemaVersion, timestamp } from "./common.ts";

/** What a look at the container's first process from outside showed; `null`: not readable. */
export const measuredPosture = z.object({
  cap_eff: z.string().nullable().describe("Effective capabilities, hex mask."),
  cap_bnd: z.string().nullable(),
  no_new_privs: z.boolean().nullable(),
  seccomp_mode: z.number().int().nullable().describe("2: a filter is in force."),
  uid: z.number().int().nullable(),
  gid: z.number().int().nullable(),
  network_interfaces: z.array(z.string()).nullable(),
});
export type MeasuredPosture = z.infer<typeof measuredPosture>;

/** `meta/container.json`: the sandbox as asked for, as the engine records it, and as measured. */
export const containerRecord = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  engine: z.object({
    kind: z.enum(["docker", "podman"]),
    bin: z.string(),
    version: z.string(),
    runtime: z.string(),
    runtime_version: z.string().nullable(),
    rootless: z.boolean(),
    cgroup_version: z.string(),
    storage_driver: z.string().nullable(),
  }),
  image: z.object({
    ref: z.string(),
    id: z.string(),
    digests: z.array(z.string()),
    labels: z.record(z.string(), z.string()),
    size_bytes: count,
    created_at: z.string(),
    architecture: z.string(),
  }),
  opencode_version: z.string().nullable().describe("From the image's label or the session store."),
  container: z.object({
    id: z.string(),
    name: z.string(),
    command: z.array(z.string()),
    user: z.string(),
    workdir: z.string(),
    hostname: z.string(),
    env_names: z.array(z.string()).describe("Names only: values may be private."),
    labels: z.record(z.string(), z.string()),
    mounts: z.array(
      z.object({ kind: z.string(), source: z.string().nullable(), target: z.string(), read_only: z.boolean() }),
    ),
    limits: z.object({ cpus: z.number(), memory_bytes: count, pids: count, nofile: count, nproc: count }),
    network: z.literal("none"),
    read_only_root: z.literal(true),
    seccomp_sha256: z.string(),
  }),
  measured: measuredPosture,
  state_times: z.object({
    created_at: timestamp.nullable(),
    started_at: timestamp.nullable(),
    exited_at: timestamp.nullable(),
  }),
  engine_inspect: z.unknown().describe("The engine's own record, as it printed it; shape differs by engine."),
});
export type ContainerRecord = z.infer<typeof containerRecord>;
