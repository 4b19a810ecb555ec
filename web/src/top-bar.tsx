import type { CaptureListAnswer } from "../../src/browser/api.ts";
import { visible } from "../../src/schema/display.ts";
import { useSpeaker } from "./i18n/language.tsx";
import { LANGUAGE_NAMES, LANGUAGES } from "./i18n/words.ts";
import { routeTo } from "./route.ts";

interface TopBarProps {
  /** Undefined in a report, which holds one capture. */
  list: CaptureListAnswer | undefined;
  current: string | undefined;
  onRescan: (() => void) | undefined;
  busy: boolean;
}

export function TopBar({ list, current, onRescan, busy }: TopBarProps) {
  const { say } = useSpeaker();
  return (
    <header class="top">
      <a class="skip" href="#content" onClick={skipToContent}>
        {say("app.skip")}
      </a>
      <span class="brand">
        <span class="brand-mark" aria-hidden="true" />
        {onRescan === undefined ? say("app.name") : <a href="#/">{say("app.name")}</a>}
      </span>
      {onRescan !== undefined && (
        <div class="switcher">
          <Switcher list={list} current={current} />
          <button type="button" onClick={onRescan} disabled={busy}>
            {busy ? say("list.rescanning") : say("list.rescan")}
          </button>
        </div>
      )}
      <LanguageSwitch />
    </header>
  );
}

/** The address holds the route, so the link must not change it. */
function skipToContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function Switcher({ list, current }: { list: CaptureListAnswer | undefined; current: string | undefined }) {
  const { say } = useSpeaker();
  const captures = list?.captures ?? [];
  const known = captures.some((one) => one.name === current);
  return (
    <label class="switch">
      <span class="sr">{say("list.switch")}</span>
      <select
        value={current ?? ""}
        onChange={(event) => {
          const name = event.currentTarget.value;
          location.hash = routeTo(name === "" ? undefined : name);
        }}
      >
        <option value="">{say("list.choose")}</option>
        {current !== undefined && !known && <option value={current}>{visible(current)}</option>}
        {captures.map((one) => (
          <option key={one.name} value={one.name}>
            {visible(one.name)}
          </option>
        ))}
      </select>
    </label>
  );
}

function LanguageSwitch() {
  const { language, setLanguage, say } = useSpeaker();
  return (
    <div class="languages" role="group" aria-label={say("app.language")}>
      {LANGUAGES.map((one) => (
        <button
          key={one}
          type="button"
          lang={one === "zh" ? "zh-CN" : "en"}
          aria-pressed={one === language}
          onClick={() => setLanguage(one)}
        >
          {LANGUAGE_NAMES[one]}
        </button>
      ))}
    </div>
  );
}
