import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import { visibleLines } from "../../../src/schema/display.ts";
import { type Formats, formatsFor } from "../format.ts";
import {
  CATALOGUES,
  fill,
  isLanguage,
  isWordKey,
  LANGUAGE_TAGS,
  type Language,
  type WordKey,
  type WordParams,
} from "./words.ts";

const STORAGE_KEY = "opencode-capture.language";

/** From the address, then what was chosen before, then what the reader's browser prefers. */
function firstLanguage(): Language {
  const asked = new URLSearchParams(location.search).get("lang");
  if (isLanguage(asked)) return asked;
  const stored = readStored();
  if (isLanguage(stored)) return stored;
  const preferred = navigator.languages.find((tag) => /^(zh|en)\b/i.test(tag));
  return preferred?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** Storage may be refused, for example in a file opened from disk. */
function readStored(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

function store(language: Language): void {
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch {
    // The choice then holds for this page.
  }
}

export interface Speaker extends Formats {
  language: Language;
  setLanguage(language: Language): void;
  /** The words for a key. */
  say(key: WordKey, params?: WordParams): string;
  /** The words for `prefix.code`, or `fallback` where the code is not known here. */
  sayCode(prefix: string, code: string, fallback: string, params?: WordParams): string;
}

function speakerFor(language: Language, setLanguage: (language: Language) => void): Speaker {
  const words = CATALOGUES[language];
  const say = (key: WordKey, params: WordParams = {}): string => fill(words[key], params);
  return {
    ...formatsFor(language),
    language,
    setLanguage,
    say,
    sayCode: (prefix, code, fallback, params) => {
      const key = `${prefix}.${code}`;
      return isWordKey(key) ? say(key, params) : visibleLines(fallback);
    },
  };
}

const SpeakerContext = createContext<Speaker>(speakerFor("en", () => {}));

export function LanguageProvider({ children }: { children: ComponentChildren }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = LANGUAGE_TAGS[language];
  }, [language]);
  const speaker = useMemo(
    () =>
      speakerFor(language, (next) => {
        store(next);
        setLanguage(next);
      }),
    [language],
  );
  return <SpeakerContext.Provider value={speaker}>{children}</SpeakerContext.Provider>;
}

export function useSpeaker(): Speaker {
  return useContext(SpeakerContext);
}
