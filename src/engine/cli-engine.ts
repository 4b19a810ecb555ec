import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CaptureError } from "../core/errors.ts";
import { attach, attachedProcess } from "./attach.ts";
import { buildImage } from "./build-image.ts";
import { createArgs } from "./create-args.ts";
import { DIALECTS, type Dialect, type Held } from "./dialect.ts";
import { type EngineCommand, engineFailure, mustRunEngine, runEngine } from "./engine-command.ts";
import type { EngineSettings } from "./engine-settings.ts";
import * as images from "./image-commands.ts";
import { type ContainerState, parseContainers } from "./inspect.ts";
import type {
  BuildOptions,
  ContainerEngine,
  ContainerSpec,
  ContainerSummary,
  EngineDescription,
  ImageInfo,
  LongCallOptions,
  PreparedContainer,
  PullOptions,
} from "./port.ts";
import { checkSpec } from "./spec-check.ts";

const GONE = /no such (container|object)|no container with|not running|can only kill running|already in progress/i;

/** The command line of docker or podman as a ContainerEngine. Made by `selectEngine`. */
export class CliEngine implements ContainerEngine {
  #settings: EngineSettings;
  readonly #dialect: Dialect;
  #refresh: (() => Promise<EngineSettings | undefined>) | undefined;

  /** `refresh` probes the machine again; it is asked when a container can't be prepared with remembered settings. */
  constructor(settings: EngineSettings, refresh?: () => Promise<EngineSettings | undefined>) {
    this.#settings = settings;
    this.#dialect = DIALECTS[settings.command.kind];
    this.#refresh = refresh;
  }

  get description(): EngineDescription {
    return this.#settings.description;
  }

  get #command(): EngineCommand {
    return this.#settings.command;
  }

  inspectImage(ref: string): Promise<ImageInfo | undefined> {
    return images.inspectImage(this.#command, ref);
  }

  importImage(tarFile: string, ref: string, changes: readonly string[], options?: LongCallOptions): Promise<void> {
    return images.importImage(this.#command, tarFile, ref, changes, options);
  }

  buildImage(contextDir: string, containerfile: string, ref: string, options: BuildOptions = {}): Promise<void> {
    return buildImage(this.#command, this.#dialect, { contextDir, containerfile, ref }, options);
  }

  pullImage(ref: string, options?: PullOptions): Promise<boolean> {
    return images.pullImage(this.#command, ref, options);
  }

  listImages(label: string): Promise<ImageInfo[]> {
    return images.listImages(this.#command, label);
  }

  removeImage(ref: string): Promise<void> {
    return images.removeImage(this.#command, ref);
  }

  async prepare(spec: ContainerSpec, signal?: AbortSignal): Promise<PreparedContainer> {
    checkSpec(spec);
    try {
      return await this.#prepareOnce(spec, signal);
    } catch (thrown) {
      if (!(thrown instanceof CaptureError) || thrown.code !== "engine-failed" || signal?.aborted) throw thrown;
      const fresh = await this.#refresh?.();
      this.#refresh = undefined;
      if (fresh === undefined || JSON.stringify(fresh) === JSON.stringify(this.#settings)) throw thrown;
      this.#settings = fresh;
      return this.#prepareOnce(spec, signal);
    }
  }

  async #prepareOnce(spec: ContainerSpec, signal: AbortSignal | undefined): Promise<PreparedContainer> {
    const scratch = await mkdtemp(path.join(tmpdir(), "opencode-capture-"));
    try {
      const pidFile = path.join(scratch, "pid");
      const id = await this.#create(spec, pidFile);
      try {
        signal?.throwIfAborted();
        const held = await this.#hold(id, pidFile);
        await checkLocal(id, held.pid);
        signal?.throwIfAborted();
        return this.#prepared(id, spec.name, held);
      } catch (thrown) {
        // That it can't be removed now is no reason to hide why; the next start finds it by its label.
        await this.removeContainer(id).catch(() => {});
        throw thrown;
      }
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #create(spec: ContainerSpec, pidFile: string): Promise<string> {
    const imageVolumes = this.#dialect.makesImageVolumes ? await this.#volumesOf(spec.image) : [];
    const cap = this.#settings.ulimitCap;
    const args = createArgs(spec, { dialect: this.#dialect, pidFile, cap, imageVolumes });
    const result = await runEngine(this.#command, args);
    if (result.exitCode === 0) return result.stdout.trim();
    // A create that was cut short may have come into being; a name in use belongs to somebody else.
    if (!/in use/i.test(result.stderr)) await this.removeContainer(spec.name).catch(() => {});
    if (/no such image|image not known|unable to find image/i.test(result.stderr)) {
      throw new CaptureError("image-missing", `${this.#command.kind} has no image ${spec.image}`, {
        hint: `get it with: ${this.#command.kind} pull ${spec.image}`,
      });
    }
    throw engineFailure(this.#command, args, result);
  }

  async #volumesOf(image: string): Promise<readonly string[]> {
    return (await this.inspectImage(image))?.volumes ?? [];
  }

  #hold(id: string, pidFile: string): Promise<Held> {
    return this.#dialect.hold({
      container: id,
      pidFile,
      // conmon, which podman starts here, leaves a file `oom` in its directory when the kernel kills for want of memory.
      run: (args) => mustRunEngine(this.#command, args, { cwd: path.dirname(pidFile) }),
      attach: () => attach(this.#command, this.#dialect.attachFlags, id),
    });
  }

  #prepared(id: string, name: string, held: Held): PreparedContainer {
    const readState = async (): Promise<ContainerState | undefined> => (await this.#inspect([id]))[0];
    return { id, name, pid: held.pid, start: () => attachedProcess(held.release(), readState) };
  }

  async listContainers(label: string): Promise<ContainerSummary[]> {
    const args = ["ps", "--all", "--quiet", "--no-trunc", "--filter", `label=${label}`];
    const ids = (await mustRunEngine(this.#command, args)).split("\n").filter((id) => id !== "");
    const found = await this.#inspect(ids);
    return found.map(({ id, name, labels, state }) => ({ id, name, labels, state }));
  }

  /** Containers that vanish in between are left out. */
  async #inspect(ids: readonly string[]): Promise<ContainerState[]> {
    if (ids.length === 0) return [];
    const args = ["inspect", "--type", "container", ...ids];
    const result = await runEngine(this.#command, args);
    if (result.exitCode !== 0 && !GONE.test(result.stderr)) throw engineFailure(this.#command, args, result);
    return parseContainers(result.stdout);
  }

  async inspectContainer(id: string): Promise<unknown> {
    const json = await mustRunEngine(this.#command, ["inspect", "--type", "container", id]);
    const [only] = JSON.parse(json) as unknown[];
    return only;
  }

  async killContainer(id: string): Promise<void> {
    await this.#quietly(["kill", "--signal", "KILL", id]);
  }

  async removeContainer(id: string): Promise<void> {
    await this.#quietly(["rm", "--force", "--volumes", ...this.#dialect.removeFlags, id]);
  }

  async #quietly(args: readonly string[]): Promise<void> {
    const result = await runEngine(this.#command, args);
    if (result.exitCode !== 0 && !GONE.test(result.stderr)) throw engineFailure(this.#command, args, result);
  }
}

/** The pid must mean the container here: with a daemon on another machine it names some other process, or none. */
async function checkLocal(id: string, pid: number): Promise<void> {
  const cgroups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  if (cgroups.includes(id)) return;
  throw new CaptureError("engine-failed", `process ${pid} of the container is not to be seen on this machine`, {
    hint: "the engine must run on this very machine, not in a virtual machine or on another host",
  });
}
