import { ALLOWED_GROUPS } from "./allowed-groups.ts";
import { ARGUMENT_RULES } from "./argument-rules.ts";
import { REFUSED_GROUPS } from "./refused-groups.ts";
import { type ArgumentRule, ERRNO, type SyscallGroup } from "./rule.ts";

type Action = { action: "SCMP_ACT_ALLOW" } | { action: "SCMP_ACT_ERRNO"; errnoRet: number };

interface ProfileRule {
  comment: string;
  names: string[];
  action: string;
  errnoRet?: number;
  args: { index: number; value: number; valueTwo: number; op: string }[];
  includes: { arches?: string[] };
  excludes: Record<string, never>;
}

/** A seccomp profile in the JSON form that `--security-opt seccomp=FILE` of docker and podman takes. */
export interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet: number;
  archMap: { architecture: string; subArchitectures: string[] }[];
  syscalls: ProfileRule[];
}

/**
 * The profile of the agent's container. No 32-bit or x32 sub-architecture is listed: the kernel kills a process that makes
 * a call through one of them, so the rules can't be walked around by another call table.
 */
export function seccompProfile(): SeccompProfile {
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: ERRNO.ENOSYS,
    archMap: [
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: [] },
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: [] },
    ],
    syscalls: [
      ...ALLOWED_GROUPS.map((group) => profileRule(group, { action: "SCMP_ACT_ALLOW" })),
      ...ARGUMENT_RULES.map((rule) => profileRule(rule, actionOf(rule), rule.conditions)),
      ...REFUSED_GROUPS.map((group) => profileRule(group, { action: "SCMP_ACT_ERRNO", errnoRet: ERRNO.EPERM })),
    ],
  };
}

function actionOf(rule: ArgumentRule): Action {
  if (rule.action === "allow") return { action: "SCMP_ACT_ALLOW" };
  return { action: "SCMP_ACT_ERRNO", errnoRet: rule.errno ?? ERRNO.EPERM };
}

function profileRule(group: SyscallGroup, action: Action, conditions: ArgumentRule["conditions"] = []): ProfileRule {
  return {
    comment: `${group.title}: ${group.reason}`,
    names: [...group.names].sort(),
    ...action,
    args: conditions.map(({ index, value, valueTwo, op }) => ({ index, value, valueTwo: valueTwo ?? 0, op })),
    includes: group.arches ? { arches: [...group.arches] } : {},
    excludes: {},
  };
}
