import koffi from "koffi";

const library = koffi.load("libc.so.6");
const set: (at: Buffer, name: Buffer, value: Buffer, size: number, flags: number) => number = library.func(
  "int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)",
);

/** Sets an extended attribute; `name` is taken byte for character. */
export function setAttribute(at: string, name: string, value: Buffer): void {
  const failed = set(Buffer.from(`${at}\0`), Buffer.from(`${name}\0`, "latin1"), value, value.length, 0) !== 0;
  if (failed) throw new Error(`lsetxattr ${name} on ${at}: errno ${koffi.errno()}`);
}
