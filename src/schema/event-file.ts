import * as z from "zod";
import { count } from "./common.ts";
import { bytesText, errno, fileIdentity, filePath, processHead, sensitive } from "./event-parts.ts";

const fileHead = { ...processHead, ...filePath, sensitive };
const mode = z.string().describe("Permission bits, octal.");
const timeSet = z.string();

export const openEvent = z
  .object({
    kind: z.literal("file.open"),
    ...fileHead,
    access: z.enum(["read", "write", "read-write"]).describe("What it was opened for."),
    created: z.literal(true).optional().describe("This very call made the file."),
    emptied: z.literal(true).optional().describe("Its content was cut to nothing (O_TRUNC)."),
    temporary: z.literal(true).optional().describe("A file without a name (O_TMPFILE)."),
    ...fileIdentity,
  })
  .describe(
    "A file was made or opened for writing, or a sensitive one was opened for reading. Other reads are not kept.",
  );

export const openFailedEvent = z
  .object({
    kind: z.literal("file.open-failed"),
    ...fileHead,
    access: z.enum(["read", "write", "read-write"]).describe("What it was to be opened for."),
    create: z.literal(true).optional().describe("It would have been made (O_CREAT)."),
    errno: z.string().describe("Name of the error."),
  })
  .describe(
    "A file could not be opened. Kept are refusals (EACCES, EPERM, EROFS, ELOOP), attempts to write, and look-ups of sensitive paths; other look-ups that found nothing are not. The path is the one that the program named: a link in it may have led elsewhere.",
  );

export const closeWriteEvent = z
  .object({
    kind: z.literal("file.close-write"),
    ...fileHead,
    still_mapped: z
      .literal(true)
      .optional()
      .describe("A shared mapping still holds it: the content can change from here on without another event."),
    ...fileIdentity,
  })
  .describe(
    "A file that was open for writing was closed for the last time: by a call, by an exec, or by the end of the process.",
  );

export const sharedMappingEvent = z
  .object({ kind: z.literal("file.shared-mapping"), ...fileHead, ...fileIdentity })
  .describe("A file was mapped shared and writable: its content can change from here on without another call.");

function pathEvent<K extends string, S extends z.ZodRawShape>(kind: K, about: string, shape: S) {
  return z.object({ kind: z.literal(kind), ...fileHead, ...shape, errno }).describe(about);
}

const to = { ...bytesText("to", "The new path."), to_truncated: z.literal(true).optional().describe("`to` is cut.") };

export const unlinkEvent = pathEvent("file.unlink", "A name of a file was removed.", {});
export const rmdirEvent = pathEvent("file.rmdir", "A directory was removed.", {});
export const mkdirEvent = pathEvent("file.mkdir", "A directory was made.", { mode });
export const mknodEvent = pathEvent("file.mknod", "A pipe, socket or device was made.", { mode });
export const renameEvent = pathEvent("file.rename", "A file or directory was renamed or moved.", {
  ...to,
  flags: z.array(z.string()).optional().describe("`noreplace`, `exchange` (both names change places), `whiteout`."),
});
export const linkEvent = pathEvent("file.link", "A file got another name (hard link).", to);
export const symlinkEvent = pathEvent("file.symlink", "A symbolic link was made.", {
  ...bytesText("link_text", "Where it points, as written."),
});
export const chmodEvent = pathEvent("file.chmod", "Permission bits were changed.", { mode });
export const chownEvent = pathEvent("file.chown", "The owner was changed.", {
  uid: z.number().int().nullable().describe("New user id; null: as it was."),
  gid: z.number().int().nullable().describe("New group id; null: as it was."),
});
export const truncateEvent = pathEvent("file.truncate", "The length was set.", { size: count.describe("New length.") });
export const setxattrEvent = pathEvent("file.setxattr", "An extended attribute was set.", {
  attribute: z.string().describe("Its name."),
});
export const removexattrEvent = pathEvent("file.removexattr", "An extended attribute was removed.", {
  attribute: z.string().describe("Its name."),
});
export const mountEvent = pathEvent("file.mount", "A file system was mounted, or it was tried.", {
  mount_source: z.string().describe("What was mounted."),
  fs_type: z.string().describe("Type of file system."),
  flags: count.describe("Flags as passed."),
  call: z.string().optional().describe("The call, where it is one of the newer ones: `move-mount`, `fsopen`, …"),
});
export const umountEvent = pathEvent("file.umount", "A file system was unmounted, or it was tried.", {
  flags: count.describe("Flags as passed."),
});
export const chrootEvent = pathEvent("file.chroot", "A process changed its root, or tried to.", {});
export const utimeEvent = pathEvent("file.utime", "The times of a file were set.", {
  accessed: timeSet.describe(
    "New time of the last access: ISO 8601 to the nanosecond, `now`, `as it was`, or `unknown`.",
  ),
  modified: timeSet.describe("New time of the last change: one that is not `now` was made up."),
});
export const allocateEvent = pathEvent("file.allocate", "Room of a file was reserved, freed or moved (fallocate).", {
  modes: z
    .array(z.string())
    .optional()
    .describe("`keep-size`, `punch-hole`, `collapse-range`, `zero-range`, `insert-range`, `unshare-range`."),
  offset: count.describe("First byte."),
  length: count.describe("Bytes."),
});
