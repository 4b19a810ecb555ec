import { type ArgumentRule, ERRNO } from "./rule.ts";

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const CLONE_NEW_ANY = 0x7e02_0000;
const SECCOMP_FILTER_FLAG_NEW_LISTENER = 0x8;

const FAMILY = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const;
const NETLINK_ROUTE = 0;
const OPEN_FAMILIES: readonly number[] = [FAMILY.UNIX, FAMILY.INET, FAMILY.INET6];

/** personality(2): Linux, Linux with 32-bit uname, both with the 2.6 version, and the query. None switches off randomisation. */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** Calls that are allowed for some arguments only. The first matching condition decides; no match is the default, ENOSYS. */
export const ARGUMENT_RULES: readonly ArgumentRule[] = [
  {
    action: "allow",
    title: "new processes and threads",
    reason: "clone without any new namespace",
    names: ["clone"],
    conditions: [{ index: 0, op: "SCMP_CMP_MASKED_EQ", value: CLONE_NEW_ANY, valueTwo: 0 }],
  },
  {
    action: "refuse",
    errno: ERRNO.ENOSYS,
    title: "clone3",
    reason: "its flags stand in memory where a filter can't see them; ENOSYS makes the C library use clone",
    names: ["clone3"],
    conditions: [],
  },
  ...OPEN_FAMILIES.map((family) => socketRule(family)),
  {
    action: "allow",
    title: "interface list",
    reason: "NETLINK_ROUTE tells the C library which addresses exist; changing them needs a capability",
    names: ["socket"],
    conditions: [equals(0, FAMILY.NETLINK), equals(2, NETLINK_ROUTE)],
  },
  {
    action: "refuse",
    errno: ERRNO.EPROTONOSUPPORT,
    title: "other netlink protocols",
    reason: "netfilter, audit, socket diagnosis: attack surface without use",
    names: ["socket"],
    conditions: [equals(0, FAMILY.NETLINK), { index: 2, op: "SCMP_CMP_NE", value: NETLINK_ROUTE }],
  },
  ...refusedFamilies(),
  {
    action: "allow",
    title: "socket pairs",
    reason: "pairs of Unix sockets between parent and child",
    names: ["socketpair"],
    conditions: [equals(0, FAMILY.UNIX)],
  },
  ...PERSONALITIES.map(
    (value): ArgumentRule => ({
      action: "allow",
      title: "execution domain",
      reason: "the usual values; not READ_IMPLIES_EXEC, not ADDR_NO_RANDOMIZE",
      names: ["personality"],
      conditions: [equals(0, value)],
    }),
  ),
  {
    action: "allow",
    title: "own filters",
    reason: "browsers and sandboxes filter themselves; a listener that answers calls of others is left out",
    names: ["seccomp"],
    conditions: [{ index: 1, op: "SCMP_CMP_MASKED_EQ", value: SECCOMP_FILTER_FLAG_NEW_LISTENER, valueTwo: 0 }],
  },
];

function equals(index: number, value: number): ArgumentRule["conditions"][number] {
  return { index, op: "SCMP_CMP_EQ", value };
}

function socketRule(family: number): ArgumentRule {
  return {
    action: "allow",
    title: "ordinary sockets",
    reason: "Unix, IPv4 and IPv6; the network namespace decides what can be reached",
    names: ["socket"],
    conditions: [equals(0, family)],
  };
}

/**
 * vsock (the way out of a virtual machine), packet, Bluetooth, CAN, AF_ALG and the rest. They get the errno of a kernel
 * without the family, which programs handle. One rule per value, because one rule can't hold two conditions on one argument.
 */
function refusedFamilies(): ArgumentRule[] {
  const rare = {
    action: "refuse" as const,
    errno: ERRNO.EAFNOSUPPORT,
    title: "rare address families",
    reason: "each is attack surface, and vsock leads out of a virtual machine",
    names: ["socket"],
  };
  const below: ArgumentRule[] = [];
  for (let family = 0; family < FAMILY.NETLINK; family++) {
    if (!OPEN_FAMILIES.includes(family)) below.push({ ...rare, conditions: [equals(0, family)] });
  }
  return [...below, { ...rare, conditions: [{ index: 0, op: "SCMP_CMP_GT", value: FAMILY.NETLINK }] }];
}
