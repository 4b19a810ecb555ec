import * as z from "zod";
import { count, schemaVersion, timestamp } from "./common.ts";

/** What a look at the container's first process from outside showed; `null`: not readable. */
export const measuredPosture = z.object({
  cap_eff: z.string().nullable().describe("Effective capabilities, hex mask."),
  cap_bnd: z.string().nullable().describe("Bounding set of capabilities, hex mask."),
  no_new_privs: z.boolean().nullable().describe("No program can gain rights, by setuid or otherwise."),
  seccomp_mode: z.number().int().nullable().describe("2: a filter is in force."),
  uid: z.number().int().nullable().describe("User id."),
  gid: z.number().int().nullable().describe("Group id."),
  network_interfaces: z.array(z.string()).nullable().describe("Network interfaces in its namespace."),
});
export type MeasuredPosture = z.infer<typeof measuredPosture>;

/** `meta/container.json`: the sandbox as asked for, as the engine records it, and as measured. */
export const containerRecord = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  engine: z.object({
    kind: z.enum(["docker", "podman"]).describe("Which engine."),
    bin: z.string().describe("The engine's command line program."),
    version: z.string().describe("Version of the engine."),
    runtime: z.string().describe("OCI runtime."),
    runtime_version: z.string().nullable().describe("Its version, where the engine tells."),
    rootless: z.boolean().describe("The engine runs without root."),
    cgroup_version: z.string().describe("Control groups as the engine uses them."),
    storage_driver: z.string().nullable().describe("How images are stored."),
  }),
  image: z.object({
    ref: z.string().describe("Name of the image that was run."),
    id: z.string(),
    digests: z.array(z.string()).describe("Registry digests that the engine knows."),
    labels: z.record(z.string(), z.string()),
    size_bytes: count.describe("Size as the engine tells it."),
    created_at: z.string(),
    architecture: z.string().describe("CPU architecture of the image."),
  }),
  opencode_version: z.string().nullable().describe("From the image's label or the session store."),
  container: z.object({
    id: z.string(),
    name: z.string(),
    command: z.array(z.string()).describe("argv of the first process."),
    user: z.string().describe("`uid:gid` inside."),
    workdir: z.string().describe("Working directory inside."),
    hostname: z.string().describe("Host name inside."),
    env_names: z.array(z.string()).describe("Names only: values may be private."),
    labels: z.record(z.string(), z.string()),
    mounts: z.array(
      z.object({ kind: z.string(), source: z.string().nullable(), target: z.string(), read_only: z.boolean() }),
    ),
    limits: z.object({ cpus: z.number(), memory_bytes: count, pids: count, nofile: count, nproc: count }),
    network: z.literal("none"),
    read_only_root: z.literal(true),
    seccomp_sha256: z.string().describe("Hash of the system call filter."),
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
