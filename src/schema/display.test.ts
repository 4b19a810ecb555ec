import { expect, it } from "vitest";
import { printableJson, shorten, visible, visibleLines } from "./display.ts";

it.each([
  ["a newline", "a\nb", "a␊b"],
  ["an escape sequence", "\u001b[2J\u009b31m", "␛[2J⟨U+009B⟩31m"],
  ["bidi override", "a\u202eb", "a⟨U+202E⟩b"],
  ["zero width", "a\u200b\u200d\ufeffb", "a⟨U+200B⟩⟨U+200D⟩⟨U+FEFF⟩b"],
  ["line separator", "a\u2028b", "a⟨U+2028⟩b"],
  ["tag characters", "a\u{e0041}b", "a⟨U+E0041⟩b"],
  ["lone surrogates", "a\ud800b", "a⟨U+D800⟩b"],
  ["a letter drawn as nothing", "a\u3164b", "a⟨U+3164⟩b"],
  ["DEL", "a\u007fb", "a␡b"],
])("shows %s", (_, text, shown) => expect(visible(text)).toBe(shown));

it("leaves what can be seen", () => {
  const text = "héllo 测试 😀 <b> \\ %s";
  expect(visible(text)).toBe(text);
  expect(visibleLines("a\n\tb\r")).toBe("a\n\tb␍");
  expect(shorten("abcdef", 4)).toBe("abc…");
});

it("prints JSON in characters that are all seen, with the same value", () => {
  const value = { "\u202ekey": ["\u001b[2J\u009b", "\ud800", "\u{e0041}\u200d", "风险 é\n"], n: 1 };
  const text = printableJson(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).not.toMatch(/[^\n\x20-\x7e风险é]/u);
});
