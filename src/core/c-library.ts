import { createRequire } from "node:module";

type Koffi = typeof import("koffi");

export interface CLibrary {
  koffi: Koffi;
  libc: ReturnType<Koffi["load"]>;
}

let loaded: CLibrary | undefined;

/**
 * The C library, for the few calls that Node has no name for. Loaded at the first use, since that takes 10 ms.
 * @throws Error where there is no glibc, or none of the package's binaries fits the machine.
 */
export function cLibrary(): CLibrary {
  if (loaded === undefined) {
    const koffi = createRequire(import.meta.url)("koffi") as Koffi;
    loaded = { koffi, libc: koffi.load("libc.so.6") };
  }
  return loaded;
}
