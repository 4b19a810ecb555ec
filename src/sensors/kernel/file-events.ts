import type { BodyOf } from "../../schema/event.ts";
import { containerPath } from "./container-path.ts";
import { type EventContext, headOf } from "./event-context.ts";
import { allocationFields, timeFields } from "./file-changes.ts";
import { errnoName, failure } from "./names.ts";
import type {
  FileIdentity,
  FileRecord,
  OpenFailedRecord,
  OpenRecord,
  PathRecord,
  PathText,
  RecordHead,
} from "./record.ts";
import { textFields } from "./text.ts";
import type { WrittenFiles } from "./written-files.ts";

const O_ACCMODE = 3;
const O_WRONLY = 1;
const O_TRUNC = 0o1000;
/** The flag itself; O_TMPFILE is it with O_DIRECTORY. */
const TMPFILE_BIT = 0o20000000;
const O_RDWR = 2;
const O_CREAT = 0o100;

export interface FileEventOptions {
  written: WrittenFiles;
  /** Says of an absolute path of the container whether reads of it are kept. */
  isSensitive: (path: string) => boolean;
}

/** Makes the events about files. */
export class FileEvents {
  readonly #context: EventContext;
  readonly #options: FileEventOptions;

  constructor(context: EventContext, options: FileEventOptions) {
    this.#context = context;
    this.#options = options;
  }

  add(record: FileRecord): void {
    switch (record.kind) {
      case "open":
        return this.#open(record);
      case "open-failed":
        return this.#openFailed(record);
      case "close-write": {
        const head = this.#head(record, record.file.path);
        const mapped = record.stillMapped === true ? { still_mapped: true as const } : {};
        this.#context.emit({ kind: "file.close-write", ...head, ...mapped, ...identityFields(record.file) });
        return;
      }
      case "shared-mapping": {
        const head = this.#head(record, record.file.path);
        this.#context.emit({ kind: "file.shared-mapping", ...head, ...identityFields(record.file) });
        return;
      }
      case "path":
        this.#context.emit(this.#pathEvent(record));
    }
  }

  #open(record: OpenRecord): void {
    const { file, flags, created, writable } = record;
    if (writable) this.#options.written.add(file);
    const head = this.#head(record, file.path);
    if (!writable && !created && head.sensitive === undefined) return;
    const event: BodyOf<"file.open"> = {
      kind: "file.open",
      ...head,
      access: writable ? ((flags & O_ACCMODE) === O_WRONLY ? "write" : "read-write") : "read",
      ...(created ? { created } : {}),
      ...(writable && (flags & O_TRUNC) !== 0 && !created ? { emptied: true } : {}),
      ...((flags & TMPFILE_BIT) !== 0 ? { temporary: true } : {}),
      ...identityFields(file),
    };
    this.#context.emit(event);
  }

  /** Refused opens and those for writing are kept, other failures only of sensitive paths: they are look-ups. */
  #openFailed(record: OpenFailedRecord): void {
    const { flags } = record;
    const errno = errnoName(record.errno);
    const head = this.#head(record, record.path);
    const writes = (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) !== 0;
    if (!writes && !REFUSALS.has(errno) && head.sensitive === undefined) return;
    const mode = flags & O_ACCMODE;
    this.#context.emit({
      kind: "file.open-failed",
      ...head,
      access: mode === O_WRONLY ? "write" : mode === O_RDWR ? "read-write" : "read",
      ...((flags & O_CREAT) !== 0 ? { create: true as const } : {}),
      errno,
    });
  }

  #head(record: RecordHead, path: PathText) {
    const text = textFields("path", containerPath(path));
    return {
      ...headOf(record, this.#context.clock),
      ...text,
      ...(path.truncated ? { path_truncated: true as const } : {}),
      ...(path.foreign === true ? { path_foreign: true as const } : {}),
      ...(this.#options.isSensitive(text.path) ? { sensitive: true as const } : {}),
    };
  }

  #pathEvent(record: PathRecord): BodyOf<PathEventKind> {
    const { operation, argument, argument2, text } = record;
    const kind = `file.${operation}` as const;
    const rest = { ...this.#head(record, record.path), ...failure(record.result) };
    switch (kind) {
      case "file.unlink":
      case "file.rmdir":
      case "file.chroot":
        return { kind, ...rest };
      case "file.mkdir":
      case "file.mknod":
      case "file.chmod":
        return { kind, ...rest, mode: octal(argument & 0o7777) };
      case "file.rename":
        return { kind, ...rest, ...target(record), ...renameFlags(argument) };
      case "file.link":
        return { kind, ...rest, ...target(record) };
      case "file.symlink":
        return { kind, ...rest, ...textFields("link_text", record.target?.name ?? NOTHING) };
      case "file.chown":
        return { kind, ...rest, uid: ownerOf(argument), gid: ownerOf(argument2) };
      case "file.truncate":
        return { kind, ...rest, size: Math.max(0, argument) };
      case "file.setxattr":
      case "file.removexattr":
        return { kind, ...rest, attribute: text.toString("utf8") };
      case "file.mount":
        return { kind, ...rest, ...mountFields(record) };
      case "file.utime":
        return { kind, ...rest, ...timeFields(record) };
      case "file.allocate":
        return { kind, ...rest, ...allocationFields(record) };
      case "file.umount":
        return { kind, ...rest, flags: Math.max(0, argument) };
    }
  }
}

type PathEventKind = `file.${PathRecord["operation"]}`;

const NOTHING = Buffer.alloc(0);

/** What says no, and not that there is nothing. */
const REFUSALS: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS", "ELOOP"]);

function target({ target: to }: PathRecord) {
  if (to === undefined) return { to: "" };
  return { ...textFields("to", containerPath(to)), ...(to.truncated ? { to_truncated: true as const } : {}) };
}

function mountFields({ target: source, text, argument, call }: PathRecord) {
  return {
    mount_source: source?.name.toString("utf8") ?? "",
    fs_type: text.toString("utf8"),
    flags: Math.max(0, argument),
    ...(call === undefined ? {} : { call }),
  };
}

const RENAME_FLAGS = [
  [1, "noreplace"],
  [2, "exchange"],
  [4, "whiteout"],
] as const;

function renameFlags(flags: number): { flags?: string[] } {
  if (flags === 0) return {};
  return { flags: RENAME_FLAGS.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name) };
}

/** 2^32 - 1, or -1: leave it as it is. */
function ownerOf(id: number): number | null {
  return id < 0 || id === 0xffff_ffff ? null : id;
}

export function identityFields(file: FileIdentity) {
  return {
    inode: file.inode,
    device: `${Math.floor(file.device / 2 ** 20)}:${file.device % 2 ** 20}`,
    mode: octal(file.mode),
    size: file.size,
    links: file.links,
  };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
