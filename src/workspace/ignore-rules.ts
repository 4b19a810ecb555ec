import picomatch from "picomatch";

/** One line of a `.captureignore`. */
interface IgnoreRule {
  matches(path: string): boolean;
  directoriesOnly: boolean;
  /** `!pattern`: takes back what an earlier rule has left out. */
  negated: boolean;
}

/** Reads the text of a `.captureignore`: the syntax of `.gitignore`. */
export function parseIgnoreRules(text: string): IgnoreRule[] {
  return text.split(/\r?\n/).flatMap((line) => parseRule(line) ?? []);
}

function parseRule(line: string): IgnoreRule | undefined {
  let pattern = line.replace(/(?<!\\)\s+$/, "");
  if (pattern === "" || pattern.startsWith("#")) return undefined;
  const negated = pattern.startsWith("!");
  if (negated) pattern = pattern.slice(1);
  if (/^\\[#!]/.test(pattern)) pattern = pattern.slice(1);
  const directoriesOnly = pattern.endsWith("/");
  pattern = pattern.replace(/\/+$/, "");
  if (pattern === "") return undefined;
  // A slash at the beginning or in the middle ties the pattern to the root; otherwise it holds at any depth.
  const anchored = pattern.includes("/") ? pattern.replace(/^\//, "") : `**/${pattern}`;
  // `dir/**` is what lies in `dir`, not `dir` itself.
  const glob = anchored.replace(/(?<=.)(?:\/\*\*)+$/, "/**/*");
  const matches = picomatch(glob, { dot: true, nonegate: true, noextglob: true, nobrace: true, flags: "s" });
  return { matches, directoriesOnly, negated };
}

/** Whether the rules leave out `path` (relative, `/` between parts); the last rule that matches decides. */
export function isIgnored(rules: readonly IgnoreRule[], path: string, isDirectory: boolean): boolean {
  const last = rules.findLast((rule) => (isDirectory || !rule.directoriesOnly) && rule.matches(path));
  return last !== undefined && !last.negated;
}
