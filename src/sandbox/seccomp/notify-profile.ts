import { type SeccompProfile, seccompProfile } from "./generate.ts";
import type { ArgumentCondition } from "./rule.ts";

type Rule = SeccompProfile["syscalls"][number];

/** A profile whose runtime hands the notified calls to who listens on a socket (runc 1.1 and newer, crun). */
export interface NotifyProfile extends SeccompProfile {
  listenerPath: string;
  listenerMetadata: string;
}

const O_ACCMODE = 3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const WRITING_BITS = O_ACCMODE | O_CREAT | O_TRUNC;

/**
 * Calls that are notified whatever their arguments: programs, connections, and what changes names, modes and lengths.
 * Each costs the agent a way to the listener and back, so what only reads is not among them.
 */
const NOTIFIED: readonly string[] = `
  execve execveat connect bind
  creat openat2 truncate
  unlink unlinkat rmdir rename renameat renameat2 mkdir mkdirat link linkat symlink symlinkat mknod mknodat
  chmod fchmodat fchmodat2 chown lchown fchownat
`
  .trim()
  .split(/\s+/);

/** Calls that are notified when they open for writing, by the argument that holds the flags. */
const OPENS: readonly { name: string; flags: number }[] = [
  { name: "open", flags: 1 },
  { name: "openat", flags: 2 },
];

/** The calls that the listener is asked about. */
export const NOTIFIED_CALLS: readonly string[] = [...NOTIFIED, ...OPENS.map(({ name }) => name)].toSorted();

/** The agent's profile, with the calls of interest notified to who listens at `listenerPath`. What it refuses stays refused. */
export function notifyProfile(listenerPath: string): NotifyProfile {
  const base = seccompProfile();
  const ours = new Set(NOTIFIED_CALLS);
  return {
    ...base,
    syscalls: [
      ...base.syscalls.map((rule) => ({ ...rule, names: rule.names.filter((name) => !ours.has(name)) })),
      ruleOf("SCMP_ACT_NOTIFY", "told to the supervisor: programs, connections and changes of names", NOTIFIED),
      ...OPENS.flatMap(openRules),
    ],
    listenerPath,
    listenerMetadata: "opencode-capture",
  };
}

/** Rules that never overlap, so that their order does not matter: exactly one fits every value of the flags. */
function openRules({ name, flags }: (typeof OPENS)[number]): Rule[] {
  const masked = (value: number, valueTwo: number): ArgumentCondition => ({
    index: flags,
    op: "SCMP_CMP_MASKED_EQ",
    value,
    valueTwo,
  });
  const notify = "opened for writing: told to the supervisor";
  return [
    ruleOf("SCMP_ACT_ALLOW", "opened for reading: as many as there are, and not told", [name], masked(WRITING_BITS, 0)),
    ...[1, 2, O_ACCMODE].map((mode) => ruleOf("SCMP_ACT_NOTIFY", notify, [name], masked(O_ACCMODE, mode))),
    ...[O_CREAT, O_TRUNC, O_CREAT | O_TRUNC].map((bits) =>
      ruleOf("SCMP_ACT_NOTIFY", notify, [name], masked(WRITING_BITS, bits)),
    ),
  ];
}

function ruleOf(action: string, comment: string, names: readonly string[], condition?: ArgumentCondition): Rule {
  const args = condition === undefined ? [] : [{ ...condition, valueTwo: condition.valueTwo ?? 0 }];
  return { comment, names: [...names].toSorted(), action, args, includes: {}, excludes: {} };
}
