import * as z from "zod";
import { count, schemaVersion, sha256, timestamp } from "./common.ts";
import { bytesText } from "./event-parts.ts";

export const fileVersion = z.object({
  ...bytesText("path", "Path as the container sees it, when the file was read."),
  time: timestamp.describe("When it was read, right after it was closed; of several times the first."),
  pid: count.describe("Who closed it, pid on the host; of several the first."),
  size_bytes: count.describe("Bytes of the file."),
  sha256: sha256.nullable().describe("Hash of what was read; null: it was not read, or not to its end."),
  at_end: z
    .enum(["gone", "replaced", "elsewhere"])
    .describe(
      "`gone`: nothing stands at its path. `replaced`: something else does. `elsewhere`: nothing does, but the same content stands under another name: a rename, or a copy.",
    ),
  content: z
    .string()
    .nullable()
    .describe("File with the content, relative to the capture directory; equal contents stand there once."),
  content_omitted: z
    .enum(["too-large", "no-room", "unreadable"])
    .optional()
    .describe(
      "Why there is no `content`: the limit for one file, the limit for all together, or it could not be read.",
    ),
  closes: count.describe("How often the file was closed with this very content."),
  unlinked: z.literal(true).optional().describe("It had no name any more when it was read, or never had one."),
  unstable: z.literal(true).optional().describe("It changed while it was read: the content may be of two states."),
});
export type FileVersion = z.infer<typeof fileVersion>;

/** `observations/file_contents.json`. */
export const fileContents = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  directories: z.array(z.string()).describe("Watched directories inside the container, each with what is below it."),
  closes: count.describe("How often a file was closed after writing, as far as it was seen."),
  versions: z.array(fileVersion).describe("What was written and is not there at the end, in the order of time."),
  truncated: z.boolean().describe("True when a limit cut `versions`."),
});
export type FileContents = z.infer<typeof fileContents>;
