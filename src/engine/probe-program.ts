import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { CaptureError } from "../core/errors.ts";

/** What the program ends with: no other way to 42 than that it really ran. */
export const PROBE_EXIT_CODE = 42;

const LOAD_ADDRESS = 0x400000n;
const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CODE_OFFSET = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES;

/** `exit(42)` in machine code, with the ELF machine number. */
const MACHINES: Readonly<Record<string, { machine: number; code: readonly number[] }>> = {
  // mov edi, 42; mov eax, 60; syscall
  x64: { machine: 62, code: [0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05] },
  // mov x0, #42; mov x8, #93; svc #0
  arm64: { machine: 183, code: [0x40, 0x05, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4] },
};

/**
 * Runs `use` with a root file system that holds one file, /probe: a whole program of some 130 bytes.
 * So a runtime can be tried before there is any image, and without anything of the host in it.
 */
export async function withProbeRootfs<T>(parentDir: string, use: (rootfs: string) => Promise<T>): Promise<T> {
  const rootfs = await mkdtemp(path.join(parentDir, "opencode-capture-probe-"));
  try {
    await chmod(rootfs, 0o755);
    await writeFile(path.join(rootfs, "probe"), probeProgram(process.arch), { mode: 0o755 });
    return await use(rootfs);
  } finally {
    await rm(rootfs, { recursive: true, force: true });
  }
}

/** A static 64-bit ELF executable that ends with PROBE_EXIT_CODE. */
export function probeProgram(arch: string): Buffer {
  const target = MACHINES[arch];
  if (target === undefined) throw new CaptureError("engine-unavailable", `no containers are run on ${arch} processors`);
  const sizeBytes = CODE_OFFSET + target.code.length;
  const elf = Buffer.alloc(sizeBytes);
  elf.write("\x7fELF", 0, "latin1");
  // 64 bits, little endian, version 1; then type "executable".
  elf.set([2, 1, 1], 4);
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(target.machine, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(LOAD_ADDRESS + BigInt(CODE_OFFSET), 24);
  elf.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32);
  elf.writeUInt16LE(ELF_HEADER_BYTES, 52);
  elf.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  elf.writeUInt16LE(1, 56);
  // One segment: load the whole file, readable and executable.
  elf.writeUInt32LE(1, 64);
  elf.writeUInt32LE(5, 68);
  elf.writeBigUInt64LE(LOAD_ADDRESS, 80);
  elf.writeBigUInt64LE(LOAD_ADDRESS, 88);
  elf.writeBigUInt64LE(BigInt(sizeBytes), 96);
  elf.writeBigUInt64LE(BigInt(sizeBytes), 104);
  elf.writeBigUInt64LE(0x1000n, 112);
  elf.set(target.code, CODE_OFFSET);
  return elf;
}
