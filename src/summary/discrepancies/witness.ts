import type { CaptureEvent } from "../../schema/event.ts";
import { effectOf } from "../attribution/effect.ts";
import type { Claims, Named } from "./claims.ts";

const WORKSPACE = "/workspace/";
/** Words of a shell that start no program. */
const BUILTINS: ReadonlySet<string> = new Set(["cd", "export", "source", ".", "echo", "test", "[", "set", "true", ":"]);

/**
 * Looks in the kernel's events for what a final message names: the commands that it says ran, the files that it says were
 * written. The message is known before the events are read, so nothing else has to be remembered.
 */
export class ClaimWitness {
  readonly #commands: { claim: Named; parts: string[][]; text: string }[];
  readonly #files: Named[];

  constructor({ ran, wrote }: Pick<Claims, "ran" | "wrote">) {
    this.#commands = ran.map((claim) => ({ claim, parts: partsOf(claim.name), text: oneLine(claim.name) }));
    this.#files = [...wrote];
  }

  add(event: CaptureEvent): void {
    if (event.kind === "process.exec") this.#program(event.argv);
    else if (this.#files.length > 0 && event.kind.startsWith("file.")) this.#file(event);
  }

  /** Commands of which no program was started. */
  get unseenCommands(): Named[] {
    return this.#commands.map(({ claim }) => claim);
  }

  /** Files that nothing wrote, made or moved. */
  get unseenFiles(): Named[] {
    return this.#files;
  }

  #program(argv: readonly string[]): void {
    if (this.#commands.length === 0) return;
    const line = oneLine(argv.join(" "));
    for (const command of this.#commands) {
      if (line.includes(command.text)) command.parts = [];
      else command.parts = command.parts.filter((part) => !isRunBy(part, argv));
    }
    removeWhere(this.#commands, ({ parts }) => parts.length === 0);
  }

  #file(event: CaptureEvent): void {
    const effect = effectOf(event);
    if (effect?.class !== "file" || effect.operation === "read") return;
    removeWhere(this.#files, ({ name }) => effect.paths.some((path) => isNamed(path, name)));
  }
}

/** Whether a path, absolute or below the working copy, is the one that is named in words: by its end, or by a directory above it. */
export function isNamed(path: string, name: string): boolean {
  const relative = path.startsWith(WORKSPACE) ? path.slice(WORKSPACE.length) : path;
  const wanted = name.replace(/^(?:\.\/)+/u, "").replace(/^\/workspace\//u, "");
  if (wanted.endsWith("/")) return `/${relative}/`.includes(wanted.startsWith("/") ? wanted : `/${wanted}`);
  return relative === wanted || relative.endsWith(wanted.startsWith("/") ? wanted : `/${wanted}`);
}

function isRunBy([program = "", ...rest]: readonly string[], argv: readonly string[]): boolean {
  const words = argv.map((word) => word.split("/").at(-1) ?? "");
  const line = argv.join(" ");
  return words.some((word) => word.startsWith(program)) && rest.every((word) => line.includes(word));
}

/** The simple commands of a command line, each in words: program without its directory first. */
function partsOf(command: string): string[][] {
  return command
    .split(/&&|\|\||[;|]/u)
    .map((part) =>
      part
        .replaceAll(/["']/gu, "")
        .trim()
        .split(/\s+/u)
        .filter((word, at) => word !== "" && !(at === 0 && /^\w+=/u.test(word))),
    )
    .filter(([program = ""]) => program !== "" && !BUILTINS.has(program))
    .map(([program = "", ...rest]) => [
      program.split("/").at(-1) ?? "",
      ...rest.filter((word) => !/^\d?[<>]/u.test(word)),
    ]);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, " ").trim();
}

function removeWhere<T>(list: T[], test: (one: T) => boolean): void {
  for (let at = list.length - 1; at >= 0; at--) if (test(list[at] as T)) list.splice(at, 1);
}
