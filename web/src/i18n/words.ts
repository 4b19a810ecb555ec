import { visibleLines } from "../../../src/schema/display.ts";
import { EN, type WordKey, type Words } from "./words-en.ts";
import { ZH } from "./words-zh.ts";

export type { WordKey };

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

export const CATALOGUES: Readonly<Record<Language, Words>> = { en: EN, zh: ZH };

/** Name of each language in itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: "English", zh: "中文" };

/** Value of the document's `lang`: screen readers and fonts need the script. */
export const LANGUAGE_TAGS: Readonly<Record<Language, string>> = { en: "en", zh: "zh-CN" };

export type WordParams = Readonly<Record<string, string | number>>;

/** Fills `{name}` in a template; a value is only ever text, and what would hide in it is drawn as a mark. */
export function fill(template: string, params: WordParams): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    return value === undefined ? whole : visibleLines(String(value));
  });
}

export function isWordKey(key: string): key is WordKey {
  return Object.hasOwn(EN, key);
}

export function isLanguage(value: string | null | undefined): value is Language {
  return LANGUAGES.some((language) => language === value);
}
