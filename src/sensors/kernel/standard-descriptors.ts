import { containerPath } from "./container-path.ts";
import type { ExecRecord, FileIdentity, StandardDescriptor } from "./record.ts";
import { textFields } from "./text.ts";

const S_IFMT = 0o170000;
const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFSOCK = 0o140000;
/** Device numbers as the kernel has them: major << 20 | minor. */
const NULL_DEVICE = (1 << 20) | 3;
const TERMINALS = { current: 5, first: 136, last: 143 };

/** The `stdio` of an exec: what standard input, output and error are. Nothing where the record does not tell. */
export function standardFields(
  { standard = [] }: Pick<ExecRecord, "standard">,
  connectionOf: (socket: string) => number,
): { stdio?: string[] } {
  return standard.length === 0 ? {} : { stdio: standard.map((one) => standardText(one, connectionOf)) };
}

function standardText(one: StandardDescriptor | undefined, connectionOf: (socket: string) => number): string {
  if (one === undefined) return "closed";
  if (one.socket !== undefined) return `connection:${connectionOf(one.socket)}`;
  switch (one.mode & S_IFMT) {
    case S_IFIFO:
      return `pipe:${one.inode}`;
    case S_IFREG:
      return `file:${deviceText(one.device)}:${one.inode}`;
    case S_IFCHR:
      return characterDevice(one.special);
    case S_IFDIR:
      return `directory:${one.inode}`;
    default:
      return `other:${one.inode}`;
  }
}

function characterDevice(device: number): string {
  if (device === NULL_DEVICE) return "null";
  const major = Math.floor(device / 2 ** 20);
  const isTerminal = major === TERMINALS.current || (major >= TERMINALS.first && major <= TERMINALS.last);
  return isTerminal ? "terminal" : `device:${deviceText(device)}`;
}

function deviceText(device: number): string {
  return `${Math.floor(device / 2 ** 20)}:${device % 2 ** 20}`;
}

const SLASH = 0x2f;

/** The `object` of a descriptor that was passed: a path, or what it is where it lies in no tree. */
export function openedFields({ path, mode, inode }: FileIdentity) {
  const type = mode & S_IFMT;
  const isNamed = path.name[0] === SLASH && path.name.length > 1;
  // A socket or pipe has no path, but for one with a name in a directory.
  if (type === S_IFIFO && !isNamed) return { object: `pipe:${inode}` };
  if (type === S_IFSOCK) return { object: `socket:${inode}` };
  return textFields("object", containerPath(path));
}
