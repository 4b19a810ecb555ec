/** What a shell does itself, and its words that are no commands. */
const NO_PROGRAMS: ReadonlySet<string> = new Set(
  (
    "cd echo printf test [ [[ true false export unset read set shift exit return history source . : exec eval type " +
    "command wait umask local alias trap pwd kill jobs ulimit let declare shopt break continue " +
    "for while until do done if then else elif fi case esac in select function time"
  ).split(" "),
);

/** Words after which a command begins, besides signs. */
const BEFORE_COMMAND = /\b(?:then|do|else|elif|if|while|until)\s+$/;

const HERE_DOCUMENT = /<<-?\s*(['"]?)(\w+)\1[^\n]*\n[^]*?\n\s*\2(?=\n|$)/g;

/**
 * Names of the programs that a shell command plainly starts: the first word of each simple command, without builtins,
 * functions of the shell and programs that other programs start. It reads text and runs nothing.
 */
export function programsOf(command: string): string[] {
  const plain = command
    // The rest of a here-document's first line can still hold commands.
    .replace(HERE_DOCUMENT, (whole) => whole.slice(0, whole.indexOf("\n")).replace(/<<-?\s*\S+/, "<HERE"))
    .replace(/'[^']*'/g, " QUOTED ")
    .replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => ` QUOTED ${insertedCommands(quoted)} `)
    .replace(/\$\(\(.*?\)\)/g, " NUMBER ")
    .replace(/\\\n/g, " ");
  const found = new Set<string>();
  const words =
    /(^|[;&|({\n!]|\$\(|`|\b(?:then|do|else|elif|if|while|until)\s)\s*((?:\w+=(?!\$\()\S*\s+)*)([\w.+/~][\w.+/~-]*)/g;
  for (const match of plain.matchAll(words)) {
    for (const name of commandNames(plain, match)) found.add(name);
  }
  return [...found];
}

function commandNames(plain: string, match: RegExpExecArray): string[] {
  const [whole, , , word = ""] = match;
  // `2>&1`, `>&2`: the sign before belongs to a redirection, and so does the digit after it.
  if (/^\d+$/.test(word) || /[<>]$/.test(plain.slice(0, match.index))) return [];
  const after = plain.slice(match.index + whole.length);
  if (after.startsWith("=") || /^\s*\)(?!\s*[;&|\n)]|$)/.test(after)) return [];
  if (NO_PROGRAMS.has(word)) {
    return BEFORE_COMMAND.test(`${word} `) ? programsOf(after.split(/[;\n]/, 1)[0] ?? "") : [];
  }
  if (word === "QUOTED" || word === "NUMBER") return [];
  return [word.split("/").at(-1) ?? word];
}

/** What stands in `$(…)` within a quoted text. */
function insertedCommands(quoted: string): string {
  return [...quoted.matchAll(/\$\([^()]*\)/g)].map(([inserted]) => inserted).join(" ");
}
