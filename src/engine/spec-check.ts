import { CaptureError } from "../core/errors.ts";
import type { ContainerSpec } from "./port.ts";

/** Linux takes no longer single argument (MAX_ARG_STRLEN, the final NUL included). */
const MAX_ARGUMENT_BYTES = 131_071;

/** Refuses what an engine's command line would misread or cut, before anything is created. */
export function checkSpec(spec: ContainerSpec): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(spec.name))
    refuse("container name", spec.name, "use letters, digits, _ . -");
  if (!/^\d+:\d+$/.test(spec.user)) refuse("container user", spec.user, "give uid:gid in numbers");
  if (spec.image === "" || spec.image.startsWith("-"))
    refuse("image name", spec.image, "give a reference such as name:tag");
  if (spec.command.length === 0 || spec.command[0] === "") refuse("command", "", "name the program to run");
  for (const key of Object.keys(spec.env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) refuse("environment variable name", key, "use letters, digits and _");
  }
  for (const mount of spec.mounts) {
    checkPath("mount target", mount.target);
    if (/[,:]/.test(mount.target)) refuse("mount target", mount.target, "use a path without comma and colon");
    if (mount.kind === "bind") checkPath("mount source", mount.source);
    else if (!/^[0-7]{3,4}$/.test(mount.mode)) refuse("tmpfs mode", mount.mode, "give it in octal, for example 1777");
  }
  const entries = [...Object.entries(spec.env), ...Object.entries(spec.labels)].map((entry) => entry.join("="));
  for (const argument of [...spec.command, ...entries]) checkArgument(argument);
}

function checkPath(what: string, value: string): void {
  if (!value.startsWith("/")) refuse(what, value, "give an absolute path");
  // The engines read mounts as CSV, which can't hold these.
  if (/[\0\r\n]/.test(value)) refuse(what, value, "use a path without line breaks");
}

function checkArgument(argument: string): void {
  if (argument.includes("\0")) refuse("argument or environment value", argument, "remove the NUL character");
  const bytes = Buffer.byteLength(argument);
  if (bytes > MAX_ARGUMENT_BYTES) {
    const advice = `Linux allows ${MAX_ARGUMENT_BYTES} bytes, this has ${bytes}; pass long text on standard input or in a file`;
    refuse("argument or environment value", argument, advice);
  }
}

function refuse(what: string, value: string, hint: string): never {
  throw new CaptureError("engine-failed", `not usable as ${what}: ${JSON.stringify(value.slice(0, 200))}`, { hint });
}
