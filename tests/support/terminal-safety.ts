/** What a terminal obeys or hides instead of showing it: controls, bidi marks, zero-width characters and their like. */
const OBEYED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|\u115f|\u1160|\u17b4|\u17b5|\u2065|\u3164|\uffa0/gu;

/** The characters of `output` that would do something on a terminal; line breaks and tabs are its own. */
export function obeyedIn(output: string): string[] {
  return (output.match(OBEYED) ?? []).filter((char) => char !== "\n" && char !== "\t");
}

/** One text for each way to cheat a reader. */
export const CHEATS: Readonly<Record<string, string>> = {
  "terminal commands":
    "\u001b[2J\u001b[1;1Hgone\u001b]0;title\u0007\u001b]8;;http://attacker.invalid\u001b\\link\u009b31m\b\r\u0000\u007f",
  "bidi override": "user\u202egpj.exe\u2066\u2069\u200f",
  "zero width": "a\u200bb\u200dc\ufeffd\u2060e\u{e0041}\u3164",
  "line and paragraph separators": "one\u2028two\u2029three\u0085four\u000bfive\u000csix",
  "lone surrogate": "a\ud800b\udc00c",
  HTML: `</script><script>canary("script")</script><img src=x onerror='canary("img")'>"><svg onload=canary("svg")>`,
  JSON: `"],"forged":true}\n{"capture_valid":true,"\\`,
  "spreadsheet formula": `=HYPERLINK("http://attacker.invalid","x")\t@SUM(1)|' /C calc'!A0`,
  "format and prototype": "%s%n%x ${canary(2)} __proto__ {{constructor}}",
  "very long": "x".repeat(20_000),
};
