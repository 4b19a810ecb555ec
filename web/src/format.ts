import { visible } from "../../src/schema/display.ts";
import type { Language } from "./i18n/words.ts";

const LOCALE: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

export interface Formats {
  number(value: number): string;
  /** Seconds in the form a person reads: `420 ms`, `12.3 s`, `3 min 52 s`. */
  duration(seconds: number): string;
  bytes(value: number): string;
  dateTime(iso: string): string;
}

export function formatsFor(language: Language): Formats {
  const locale = LOCALE[language];
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const [min, sec, milli] = language === "zh" ? ["分", "秒", "毫秒"] : ["min", "s", "ms"];
  return {
    number: (value) => whole.format(value),
    duration: (seconds) => {
      if (seconds < 1) return `${short.format(seconds * 1000)} ${milli}`;
      if (seconds < 60) return `${short.format(seconds)} ${sec}`;
      return `${Math.floor(seconds / 60)} ${min} ${Math.round(seconds % 60)} ${sec}`;
    },
    bytes: (value) => {
      const units = ["B", "KiB", "MiB", "GiB", "TiB"];
      const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
      return `${short.format(value / 1024 ** power)} ${units[power] ?? ""}`;
    },
    dateTime: (iso) => {
      const time = new Date(iso);
      return Number.isNaN(time.getTime()) ? visible(iso) : date.format(time);
    },
  };
}

/** Seconds from `start` to `time`, with sign, or `undefined` when one of them is no time. */
export function secondsAfter(start: string | null, time: string): number | undefined {
  const seconds = start === null ? Number.NaN : (Date.parse(time) - Date.parse(start)) / 1000;
  return Number.isFinite(seconds) ? seconds : undefined;
}
