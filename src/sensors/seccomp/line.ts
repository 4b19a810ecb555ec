import * as z from "zod";

/** Bytes, in hex: names in Linux have no encoding. */
const bytes = z.string().transform((hex) => Buffer.from(hex, "hex"));
const number = z.number();

const head = {
  /** Nanoseconds since boot. */
  t: number,
  /** Number of the call; equal for lines that tell of one call twice. */
  id: number,
  pid: number,
  /** Start of the process, nanoseconds since boot, exact to the clock tick. */
  start: number,
  tid: number.optional(),
  ppid: number,
  pstart: number,
  /** Pid in the container; 0: none. */
  cpid: number,
  uid: number,
  comm: bytes,
};

const file = { ino: number, major: number, minor: number, mode: number, size: number, links: number };
const path = { path: bytes, path_base: bytes.optional() };

const found = z.object({ k: z.literal("found"), ...head, exe: bytes, cwd: bytes, args: bytes });
const exec = z.object({
  k: z.literal("exec"),
  ...head,
  ...path,
  ...file,
  args: bytes,
  args_bytes: number,
  env: bytes,
  env_bytes: number,
  cwd: bytes,
  gid: number,
  exe: bytes,
  memfd: z.literal(1).optional(),
  interpreter: bytes.optional(),
  option: bytes.optional(),
});
const execFailed = z.object({ k: z.literal("exec-failed"), ...head, ...path, errno: number });
const open = z.object({
  k: z.literal("open"),
  ...head,
  ...path,
  ...z.object(file).partial().shape,
  flags: number,
  /** The call will make the file: it has no identity yet. */
  new_mode: number.optional(),
});
const pathCall = z.object({
  k: z.literal("path"),
  ...head,
  ...path,
  op: z.enum(["unlink", "rmdir", "mkdir", "mknod", "rename", "link", "symlink", "chmod", "chown", "truncate"]),
  target: bytes.optional(),
  target_base: bytes.optional(),
  arg: number,
  arg2: number,
  /** The error that the call can be expected to end with. */
  errno: number.optional(),
});
const address = { ...head, address: bytes, socket: number, type: number, protocol: number };
const connect = z.object({ k: z.literal("connect"), ...address });
const bind = z.object({ k: z.literal("bind"), ...address });

const listening = z.object({ k: z.literal("listening"), t: number });
const guard = z.object({ k: z.literal("guard"), t: number, pid: number });
const taken = z.object({ k: z.literal("taken"), t: number });
const gap = z.object({ k: z.literal("gap"), t: number, from: number, unseen: number, why: z.string() });
const end = z.object({
  k: z.literal("end"),
  t: number,
  calls: number,
  lines: number,
  dropped: number,
  blind: number,
});

/** One line that the listener writes (native/seccomp-listener): what a process asked for, or something about itself. */
export const listenerLine = z.discriminatedUnion("k", [
  found,
  exec,
  execFailed,
  open,
  pathCall,
  connect,
  bind,
  listening,
  guard,
  taken,
  gap,
  end,
]);
export type ListenerLine = z.infer<typeof listenerLine>;
export type LineOf<K extends ListenerLine["k"]> = Extract<ListenerLine, { k: K }>;
/** A line about a call of a process. */
export type CallLine = LineOf<"exec" | "exec-failed" | "open" | "path" | "connect" | "bind">;
export type EndLine = LineOf<"end">;
