import { lostText } from "./contents.ts";
import { type CaseContext, life, made, named, type RecallCase, times, written } from "./expect.ts";
import { type Fact, fact } from "./fact.ts";

const ELSEWHERE = ["/dev/shm", "/tmp", "/home/agent"] as const;

/** Cases 21–44: files. */
export const FILE_CASES: readonly RecallCase[] = [
  {
    number: 21,
    title: "files that live for a moment, shell",
    program: "echo-rm.sh",
    bulk: true,
    each: (i, context) => {
      const path = named(context, "echoed", i);
      const remove = { exe: "/usr/bin/rm", argv: ["rm", `echoed-${context.tag}-${i}`] };
      return [...made(path, 2), life(context, [remove], "exit 0"), fact("file.unlink", { path })];
    },
    contents: (i, context) => [lostText(named(context, "echoed", i), "x\n")],
  },
  {
    number: 21,
    title: "files that live for a moment, C",
    program: "create-delete",
    bulk: true,
    each: (i, context) => shortLived(named(context, "short-lived", i)),
    contents: (i, context) => [lostText(named(context, "short-lived", i), "x\n")],
  },
  {
    number: 22,
    title: "O_TMPFILE that gets a name",
    program: "tmpfile-linked",
    each: (i, context) => [
      ...unnamed(context, 7),
      fact("file.link", { path: "/proc/self/fd/#", to: named(context, "linked", i) }),
    ],
  },
  {
    number: 23,
    title: "O_TMPFILE that never gets one",
    program: "tmpfile-dropped",
    each: (_, context) => unnamed(context, 8),
  },
  {
    number: 24,
    title: "written to after it was removed",
    program: "write-after-unlink",
    each: (i, context) => {
      const path = named(context, "unlinked", i);
      return [...made(path, 16), fact("file.unlink", { path })];
    },
    contents: (i, context) => [lostText(named(context, "unlinked", i), "before and after")],
  },
  {
    number: 25,
    title: "rename, and over an existing file",
    program: "rename",
    bulk: true,
    each: (i, context) => {
      const [from, to, victim] = [named(context, "from", i), named(context, "to", i), named(context, "victim", i)];
      return [
        ...made(from, 6),
        ...made(victim, 12),
        fact("file.rename", { path: from, to }),
        fact("file.rename", { path: to, to: victim }),
      ];
    },
    contents: (i, context) => [lostText(named(context, "victim", i), "overwritten\n")],
  },
  {
    number: 26,
    title: "two files change places",
    program: "exchange",
    each: (i, context) => {
      const [one, two] = [named(context, "one", i), named(context, "two", i)];
      return [...made(one, 2), ...made(two, 3), fact("file.rename", { path: one, to: two, flags: ["exchange"] })];
    },
  },
  { number: 27, title: "a directory with content is renamed", program: "rename-directory", each: renamedDirectory },
  {
    number: 28,
    title: "written through a hard link",
    program: "hard-link",
    each: (i, context) => {
      const [path, to] = [named(context, "original", i), named(context, "hard", i)];
      return [...made(path, 4), fact("file.link", { path, to }), ...written(to, 8)];
    },
  },
  {
    number: 29,
    title: "a secret read through a symbolic link",
    program: "symlink",
    once: secret,
    each: (i, context) => [
      fact("file.symlink", { path: named(context, "innocent", i), link_text: "secret/id_rsa" }),
      readSecret(context),
    ],
  },
  {
    number: 30,
    title: "modes and owners",
    program: "mode",
    each: (i, context) => {
      const path = named(context, "mode", i);
      return [
        ...made(path, 10),
        fact("file.chmod", { path, mode: "755" }),
        fact("file.chmod", { path, mode: "4755" }),
        fact("file.chown", { path, uid: null, gid: 10_001 }),
        fact("file.chown", { path, uid: 0, gid: null, errno: "EPERM" }),
      ];
    },
  },
  {
    number: 31,
    title: "extended attributes",
    program: "attribute",
    each: (i, context) => {
      const path = named(context, "attribute", i);
      const attribute = "user.recall";
      return [
        ...made(path, 10),
        fact("file.setxattr", { path, attribute }),
        fact("file.removexattr", { path, attribute }),
      ];
    },
  },
  {
    number: 32,
    title: "truncate, ftruncate, a hole",
    program: "size",
    each: (i, context) => {
      const [path, other] = [named(context, "size", i), named(context, "shrunk", i)];
      return [
        ...made(path, 10),
        fact("file.truncate", { path, size: 4 }),
        ...made(other, 5000, { access: "read-write" }),
        fact("file.truncate", { path: other, size: 8192 }),
        fact("file.allocate", { path: other, modes: ["keep-size", "punch-hole"], offset: 0, length: 4096 }),
        fact("file.truncate", { path: other, size: 5000 }),
      ];
    },
  },
  {
    number: 33,
    title: "written through shared memory",
    program: "shared-mapping",
    each: (i, context) => {
      const path = named(context, "mapped", i);
      return [
        fact("file.open", { path, access: "read-write", created: true }),
        fact("file.truncate", { path, size: 4096 }),
        fact("file.shared-mapping", { path, size: 4096 }),
        fact("file.close-write", { path, size: 4096, still_mapped: true }),
      ];
    },
  },
  {
    number: 34,
    title: "pwritev2, sendfile, copy_file_range, splice",
    program: "other-writes",
    once: ({ dir }) => made(`${dir}/source`, 10),
    each: (i, context) =>
      ["pwritev2", "sendfile", "copied", "spliced"].flatMap((prefix) => made(named(context, prefix, i), 10)),
  },
  {
    number: 35,
    title: "shared blocks (FICLONE)",
    program: "reflink",
    once: ({ dir }) => made(`${dir}/source`, 10),
    each: (i, context) => made(named(context, "cloned", i), 10),
  },
  {
    number: 36,
    title: "io_uring, refused",
    program: "io-uring",
    each: () => [fact("blind-spot", { interface: "io_uring", stage: "attempt", errno: "EPERM" })],
  },
  {
    number: 37,
    title: "kernel asynchronous I/O, refused",
    program: "aio",
    each: () => [fact("blind-spot", { interface: "aio", stage: "attempt", errno: "EPERM" })],
  },
  { number: 38, title: "names of 255 bytes and that are not UTF-8", program: "odd-names", each: oddNames },
  { number: 38, title: "a path of 3 KiB", program: "deep-path", atMost: 50, each: deepPath },
  {
    number: 39,
    title: "the same bytes again, and touched",
    program: "same-bytes",
    once: ({ dir }) => made(`${dir}/same`, 5),
    each: (_, { dir }) => [
      ...written(`${dir}/same`, 5),
      fact("file.utime", { path: `${dir}/same`, accessed: "now", modified: "now" }),
    ],
  },
  { number: 40, title: "1 GiB, and 100,000 small files", ownRun: "large and many files" },
  {
    number: 41,
    title: "a secret is read",
    program: "sensitive-read",
    once: secret,
    each: (_, context) => [readSecret(context)],
  },
  {
    number: 41,
    title: "what may not be read or written",
    program: "refused-open",
    each: (i, context) => [
      fact("file.open-failed", { path: "/etc/shadow", access: "read", sensitive: true, errno: "EACCES" }),
      fact("file.open-failed", {
        path: named(context, "/usr/refused", i),
        access: "write",
        create: true,
        errno: "EROFS",
      }),
      fact("file.open-failed", { path: `${context.dir}/id_rsa`, access: "read", sensitive: true, errno: "ENOENT" }),
    ],
  },
  {
    number: 42,
    title: "files in /dev/shm, /tmp and the home",
    program: "elsewhere",
    each: (i, context) => ELSEWHERE.flatMap((place) => shortLived(named(context, `${place}/elsewhere`, i))),
    contents: (i, context) => ELSEWHERE.map((place) => lostText(named(context, `${place}/elsewhere`, i), "x\n")),
  },
  {
    number: 43,
    title: "pipe, device, socket",
    program: "special",
    each: (i, context) => [
      fact("file.mknod", { path: named(context, "fifo", i), mode: "600" }),
      fact("file.mknod", { path: named(context, "plain", i), mode: "600" }),
      fact("file.mknod", { path: named(context, "device", i), mode: "600", errno: "EPERM" }),
      fact("net.bind", { transport: "unix", local: `socket-${context.tag}-${i}` }),
    ],
  },
  {
    number: 44,
    title: "mount, refused",
    program: "mount",
    each: (i, context) => [
      fact("file.mount", { path: named(context, "mountpoint", i), fs_type: "tmpfs", errno: "EPERM" }),
    ],
  },
];

function shortLived(path: string): Fact[] {
  return [...made(path, 2), fact("file.unlink", { path })];
}

function unnamed({ dir }: CaseContext, sizeBytes: number): Fact[] {
  return made(`${dir}/#`, sizeBytes, { temporary: true });
}

function secret({ dir }: CaseContext): Fact[] {
  return [
    fact("file.mkdir", { path: `${dir}/secret`, mode: "700" }),
    ...made(`${dir}/secret/id_rsa`, 10, { sensitive: true }),
  ];
}

function readSecret({ dir }: CaseContext): Fact {
  return fact("file.open", { path: `${dir}/secret/id_rsa`, access: "read", sensitive: true });
}

function renamedDirectory(i: number, context: CaseContext): Fact[] {
  const [path, to] = [named(context, "directory", i), named(context, "elsewhere", i)];
  return [
    fact("file.mkdir", { path, mode: "755" }),
    ...made(`${path}/child`, 6),
    fact("file.rename", { path, to }),
    ...written(`${to}/child`, 11),
  ];
}

function oddNames(i: number, context: CaseContext): Fact[] {
  const mark = `${context.tag}-${i}`;
  const odd = Buffer.concat([Buffer.from(`${context.dir}/odd-`), Buffer.from([0xff, 0xfe]), Buffer.from(`\n-${mark}`)]);
  return [...made(`${context.dir}/${`${mark}_`.padEnd(255, "n")}`, 2), ...made(odd, 2)];
}

function deepPath(i: number, context: CaseContext): Fact[] {
  const parts = Array.from({ length: 15 }, () => "d".repeat(200));
  const errno = i === 0 ? undefined : "EEXIST";
  const directories = times(parts.length, (depth) => [
    fact("file.mkdir", { path: [context.dir, ...parts.slice(0, depth + 1)].join("/"), mode: "755", errno }),
  ]);
  return [...directories, ...made([context.dir, ...parts, `deep-${context.tag}-${i}`].join("/"), 2)];
}
