import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { CATALOGUES, fill, isWordKey } from "./words.ts";

const PLACEHOLDER = /\{\w+\}/g;

describe("catalogues", () => {
  const { en, zh } = CATALOGUES;

  it("have the same keys", () => {
    expect(Object.keys(zh).toSorted()).toEqual(Object.keys(en).toSorted());
  });

  it("fill the same places", () => {
    const places = (words: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(words).map(([key, text]) => [key, (text.match(PLACEHOLDER) ?? []).toSorted()]));
    expect(places(zh)).toEqual(places(en));
  });

  it("have no untranslated text in Chinese", () => {
    const same = Object.keys(en).filter(
      (key) => isWordKey(key) && en[key] === zh[key] && /[a-z]{3}/i.test(en[key].replace(PLACEHOLDER, "")),
    );
    // Names, and abbreviations that Chinese writes the same way.
    expect(same).toEqual(["app.name", "process.pid", "network.pids"]);
  });

  it("have words for every anomaly that the summary can name", () => {
    const source = fs.readFileSync(path.join(import.meta.dirname, "../../../src/summary/anomalies.ts"), "utf8");
    const codes = [...source.matchAll(/anomaly\("(\w+)"/g)].map(([, code]) => code ?? "");
    const computed = ["supervisor_lost", "engine_lost", "model_unreachable", "token_limit", "disk_limit", "disk_full"];
    expect(codes.length).toBeGreaterThan(15);
    expect([...codes, ...computed].filter((code) => !isWordKey(`anomaly.${code}`))).toEqual([]);
  });

  it("hold no key that nothing uses", () => {
    const dir = path.join(import.meta.dirname, "..");
    const code = fs
      .readdirSync(dir, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.tsx?$/.test(file) && !file.startsWith("i18n/words"))
      .map((file) => fs.readFileSync(path.join(dir, file), "utf8"))
      .join("\n");
    // A key is used whole, or as `prefix.${…}`, or by sayCode("prefix", …).
    const used = (key: string): boolean => {
      const prefix = key.slice(0, key.indexOf("."));
      return (
        code.includes(`"${key}"`) ||
        code.includes(`\`${prefix}.$`) ||
        code.includes(`sayCode("${prefix}"`) ||
        longPrefixUsed(code, key)
      );
    };
    expect(Object.keys(en).filter((key) => !used(key))).toEqual([]);
  });
});

function longPrefixUsed(code: string, key: string): boolean {
  return code.includes(`\`${key.slice(0, key.lastIndexOf("."))}.$`);
}

describe("fill", () => {
  it("puts values in as text, once", () => {
    expect(fill("{a} of {b} {c}", { a: "{b}", b: 2 })).toBe("{b} of 2 {c}");
    expect(fill("{constructor} {a}", { a: "$&" })).toBe("{constructor} $&");
  });
});
