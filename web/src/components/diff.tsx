import { useState } from "preact/hooks";
import { visible } from "../../../src/schema/display.ts";
import { useSpeaker } from "../i18n/language.tsx";

const FIRST_LINES = 400;

function kindOf(line: string): string {
  if (line.startsWith("+++") || line.startsWith("---")) return "file";
  if (line.startsWith("@@")) return "hunk";
  if (line.startsWith("+")) return "add";
  return line.startsWith("-") ? "del" : "same";
}

/** A unified diff, line by line. */
export function Diff({ text, label }: { text: string; label: string }) {
  const { say, number } = useSpeaker();
  const [all, setAll] = useState(false);
  const lines = text.replace(/\n$/, "").split("\n");
  const shown = all ? lines : lines.slice(0, FIRST_LINES);
  return (
    <>
      {/* A scrolling region must be reachable by keyboard. */}
      <pre class="diff" tabIndex={0} role="group" aria-label={visible(label)}>
        {shown.map((line, index) => (
          // Lines have no identity but their place.
          // see above
          <span key={index} class={`diff-${kindOf(line)}`}>
            {visible(line)}
            {"\n"}
          </span>
        ))}
      </pre>
      {shown.length < lines.length && (
        <p class="muted">
          {say("files.diffShort", { shown: number(shown.length), total: number(lines.length) })}{" "}
          <button type="button" onClick={() => setAll(true)}>
            {say("app.more")}
          </button>
        </p>
      )}
    </>
  );
}
