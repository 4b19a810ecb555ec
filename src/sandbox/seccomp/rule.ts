/** Comparison operators of libseccomp, as the profile format of docker and podman spells them. */
export type CompareOp =
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

/**
 * One condition on an argument of a system call. Arguments are compared as unsigned 64-bit numbers.
 * With `SCMP_CMP_MASKED_EQ` `value` is the mask and `valueTwo` what must be left of the argument.
 */
export interface ArgumentCondition {
  index: number;
  value: number;
  valueTwo?: number;
  op: CompareOp;
}

/** Machine names as docker and podman use them in `includes.arches`. */
export type Arch = "amd64" | "arm64";

/** Some system calls that are treated alike, and why. */
export interface SyscallGroup {
  /** Short title; becomes part of the comment in the profile. */
  title: string;
  /** Why the group is allowed or refused, in words. */
  reason: string;
  names: readonly string[];
  /** The group exists on these machines only; absent: on all. */
  arches?: readonly Arch[];
}

/** A group that is allowed or refused depending on its arguments. Several conditions in one rule must all hold. */
export interface ArgumentRule extends SyscallGroup {
  action: "allow" | "refuse";
  conditions: readonly ArgumentCondition[];
  /** The errno of a refusal. */
  errno?: number;
}

/** errno values, the same on x86_64 and aarch64. */
export const ERRNO = { EPERM: 1, ENOSYS: 38, EPROTONOSUPPORT: 93, EAFNOSUPPORT: 97 } as const;
