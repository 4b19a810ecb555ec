import { once } from "node:events";
import * as fs from "node:fs";
import { createServer, type Server } from "node:net";
import { type CLibrary, cLibrary } from "../core/c-library.ts";
import { CaptureError, errorMessage } from "../core/errors.ts";

export interface NamespaceListener {
  name: string;
  /** An IPv4 address of the namespace. */
  host: string;
  /** 0: any free one. */
  port: number;
}

const CLONE_NEWNET = 0x4000_0000;
const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 1 | 0o2_000_000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const BACKLOG = 1024;
const SOCKADDR_IN_BYTES = 16;

/**
 * Opens TCP listeners in the network namespace of process `pid` and returns them, by name, as servers of this process.
 * A socket belongs to the namespace that it was made in, so nothing of ours has to stay in there: this thread enters,
 * makes its sockets and leaves, without giving anything else a turn in between.
 * Needs the right to enter that namespace (root, or CAP_SYS_ADMIN).
 * @throws CaptureError `engine-failed` when the namespace can't be entered or an address is taken.
 */
export async function listenInNamespace(
  pid: number,
  wanted: readonly NamespaceListener[],
): Promise<Map<string, Server>> {
  let sockets: number[];
  try {
    sockets = openSockets(pid, wanted);
  } catch (error) {
    throw new CaptureError(
      "engine-failed",
      `cannot open a socket in the container's network namespace: ${errorMessage(error)}`,
      {
        cause: error,
        hint: "entering a namespace needs root: run it with sudo; `opencode-capture doctor` shows what this machine allows",
      },
    );
  }
  const servers = new Map<string, Server>();
  for (const [index, { name }] of wanted.entries()) {
    const server = createServer();
    server.listen({ fd: sockets[index], backlog: BACKLOG });
    await once(server, "listening");
    servers.set(name, server);
  }
  return servers;
}

function openSockets(pid: number, wanted: readonly NamespaceListener[]): number[] {
  const calls = socketCalls(cLibrary());
  const ours = fs.openSync("/proc/thread-self/ns/net", "r");
  const theirs = openNamespace(pid, ours);
  const opened: number[] = [];
  try {
    calls.enter(theirs);
    try {
      for (const want of wanted) opened.push(calls.listen(want));
    } finally {
      calls.enter(ours);
    }
    return opened;
  } catch (error) {
    for (const fd of opened) fs.closeSync(fd);
    throw error;
  } finally {
    fs.closeSync(theirs);
    fs.closeSync(ours);
  }
}

function openNamespace(pid: number, ours: number): number {
  try {
    return fs.openSync(`/proc/${pid}/ns/net`, "r");
  } catch (error) {
    fs.closeSync(ours);
    throw error;
  }
}

interface SocketCalls {
  enter(namespace: number): void;
  listen(want: NamespaceListener): number;
}

function socketCalls({ koffi, libc }: CLibrary): SocketCalls {
  const setns = libc.func("int setns(int fd, int nstype)");
  const socket = libc.func("int socket(int domain, int type, int protocol)");
  const setsockopt = libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)");
  const bind = libc.func("int bind(int fd, const void *address, uint32_t length)");
  const listen = libc.func("int listen(int fd, int backlog)");
  const checked = (what: string, result: unknown): number => {
    if (typeof result === "number" && result >= 0) return result;
    const number = koffi.errno();
    const name = Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0];
    throw new Error(`${what}: ${name ?? `errno ${number}`}`);
  };
  return {
    enter: (namespace) => void checked("setns", setns(namespace, CLONE_NEWNET)),
    listen: ({ host, port }) => {
      const fd = checked("socket", socket(AF_INET, SOCK_STREAM_CLOEXEC, 0));
      try {
        checked("setsockopt", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, new Uint8Array([1, 0, 0, 0]), 4));
        checked(`bind ${host}:${port}`, bind(fd, socketAddress(host, port), SOCKADDR_IN_BYTES));
        checked(`listen ${host}:${port}`, listen(fd, BACKLOG));
        return fd;
      } catch (error) {
        fs.closeSync(fd);
        throw error;
      }
    },
  };
}

/** struct sockaddr_in (ip(7)) of a machine with little-endian numbers; port and address are big-endian everywhere. */
function socketAddress(host: string, port: number): Buffer {
  const address = Buffer.alloc(SOCKADDR_IN_BYTES);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  for (const [index, part] of host.split(".").entries()) address.writeUInt8(Number(part), 4 + index);
  return address;
}
