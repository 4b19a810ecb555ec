import { z } from "zod";
import type { ContainerSummary, ImageInfo } from "./port.ts";

/** The part of `image inspect` and `inspect --type container` that both engines print alike. */
const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const names = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

const image = z.object({
  Id: z.string(),
  RepoTags: names,
  RepoDigests: names,
  Created: z.string().default(""),
  Size: z.number().default(0),
  Architecture: z.string().default(""),
  Config: z.object({ Labels: labels, Volumes: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});

const container = z.object({
  Id: z.string(),
  Name: z.string(),
  Config: z.object({ Labels: labels }),
  State: z.object({ Status: z.string(), Pid: z.number().default(0), ExitCode: z.number().nullish() }),
});

export interface ContainerState extends ContainerSummary {
  pid: number;
  exitCode: number | null;
}

/** Reads the JSON of `image inspect`. */
export function parseImages(json: string): ImageInfo[] {
  return z
    .array(image)
    .parse(JSON.parse(json))
    .map((one) => ({
      id: one.Id.startsWith("sha256:") ? one.Id : `sha256:${one.Id}`,
      tags: one.RepoTags,
      digests: one.RepoDigests,
      labels: one.Config?.Labels ?? {},
      volumes: Object.keys(one.Config?.Volumes ?? {}),
      sizeBytes: one.Size,
      createdAt: one.Created,
      architecture: one.Architecture,
    }));
}

/** Reads the JSON of `inspect --type container`. */
export function parseContainers(json: string): ContainerState[] {
  return z
    .array(container)
    .parse(JSON.parse(json))
    .map((one) => ({
      id: one.Id,
      name: one.Name.replace(/^\//, ""),
      labels: one.Config.Labels,
      state: one.State.Status,
      pid: one.State.Pid,
      exitCode: one.State.ExitCode ?? null,
    }));
}
