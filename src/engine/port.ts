import type { Readable, Writable } from "node:stream";

/**
 * What the rest of the program knows of a container engine. No type of an engine's own API crosses this line.
 * One adapter (cli-engine.ts) implements it on the command lines of docker and podman.
 */
export type EngineKind = "docker" | "podman";

/** Versions and settings that were found to work, for meta/container.json and `doctor`. */
export interface EngineDescription {
  kind: EngineKind;
  /** Path or name of the command line program in use. */
  bin: string;
  version: string;
  /** OCI runtime in use, for example `runc`, with its version where the engine tells. */
  runtime: string;
  runtimeVersion: string | undefined;
  rootless: boolean;
  /** `v1`, `v2` or `hybrid` as the engine uses it. */
  cgroupVersion: string;
  storageDriver: string | undefined;
}

export interface BindMount {
  kind: "bind";
  source: string;
  target: string;
  readOnly: boolean;
}

export interface TmpfsMount {
  kind: "tmpfs";
  target: string;
  sizeBytes: number;
  /** Whether files on it may be executed. */
  exec: boolean;
  mode: string;
}

export type Mount = BindMount | TmpfsMount;

export interface ContainerLimits {
  cpus: number;
  memoryBytes: number;
  pids: number;
  nofile: number;
  nproc: number;
}

/** Everything about one container, in the engine's neutral terms. */
export interface ContainerSpec {
  name: string;
  image: string;
  /** The whole argv: replaces the image's entrypoint and command. */
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  /** `uid:gid` inside the container. */
  user: string;
  workdir: string;
  hostname: string;
  mounts: readonly Mount[];
  limits: ContainerLimits;
  /** Path of the seccomp profile on the host. */
  seccompProfile: string;
}

export interface ImageInfo {
  /** Content id, `sha256:…`. */
  id: string;
  /** Names the engine knows it by. */
  tags: readonly string[];
  digests: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** Paths that the image declares as volumes. */
  volumes: readonly string[];
  sizeBytes: number;
  createdAt: string;
  architecture: string;
}

/** Options of calls that can take minutes. */
export interface LongCallOptions {
  /** Ends the call; it then fails like any other broken call. */
  signal?: AbortSignal | undefined;
}

export interface BuildOptions extends LongCallOptions {
  labels?: Readonly<Record<string, string>>;
  /** Gets the engine's progress, made printable. */
  onLine?: ((line: string) => void) | undefined;
}

export interface PullOptions extends LongCallOptions {
  /** Default ten minutes. */
  timeoutMs?: number;
}

export interface ContainerSummary {
  id: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  /** As the engine says: `running`, `exited`, `created`, … */
  state: string;
}

/** The streams and the end of a started container's first process. */
export interface AttachedProcess {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** The exit code of the container's first process; `null` when the engine could not tell. */
  readonly exited: Promise<{ exitCode: number | null; engineError: string | undefined }>;
}

/**
 * A container whose namespaces exist and whose first process has not run a single instruction of the image's program
 * (podman: `create` + `init`; docker: a gate that waits for one line on standard input).
 */
export interface PreparedContainer {
  id: string;
  name: string;
  /** Pid of the container's first process, in the host's pid namespace. */
  pid: number;
  /** Lets the program run. Its standard input is `stdin`; close it to give EOF. Call once. */
  start(): AttachedProcess;
}

export interface ContainerEngine {
  readonly description: EngineDescription;
  inspectImage(ref: string): Promise<ImageInfo | undefined>;
  /** Imports a root file system (tar) as an image. `changes` are Dockerfile instructions such as `ENV A=b`. */
  importImage(tarFile: string, ref: string, changes: readonly string[], options?: LongCallOptions): Promise<void>;
  /** Builds from a Containerfile. */
  buildImage(contextDir: string, containerfile: string, ref: string, options?: BuildOptions): Promise<void>;
  /** Pulls from a registry; resolves to false when it can't be had. */
  pullImage(ref: string, options?: PullOptions): Promise<boolean>;
  listImages(label: string): Promise<ImageInfo[]>;
  removeImage(ref: string): Promise<void>;
  prepare(spec: ContainerSpec, signal?: AbortSignal): Promise<PreparedContainer>;
  /** Containers, in any state, that carry `label` (`key` or `key=value`). */
  listContainers(label: string): Promise<ContainerSummary[]>;
  /** The engine's own record of the container (`inspect`), untyped; kept in meta/container.json and logs/container.log. */
  inspectContainer(id: string): Promise<unknown>;
  /** SIGKILL to every process; quiet when it is gone already. */
  killContainer(id: string): Promise<void>;
  /** Removes it, running or not; quiet when it is gone already. */
  removeContainer(id: string): Promise<void>;
}
