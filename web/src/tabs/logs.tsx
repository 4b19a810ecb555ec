import { useState } from "preact/hooks";
import type { CapturePage, PageLog } from "../../../src/schema/page.ts";
import { Empty, Section } from "../components/section.tsx";
import { Block } from "../components/text.tsx";
import { useSpeaker } from "../i18n/language.tsx";
import type { Source } from "../source.ts";

const PART_BYTES = 256 * 1024;

export function Logs({ page, source }: { page: CapturePage; source: Source }) {
  const { say, bytes } = useSpeaker();
  const [chosen, setChosen] = useState(page.logs[0]?.file);
  const log = page.logs.find((one) => one.file === chosen) ?? page.logs[0];
  if (log === undefined) return <Empty>{say("logs.none")}</Empty>;
  return (
    <>
      <div class="tools-bar" role="group" aria-label={say("logs.choose")}>
        {page.logs.map((one) => (
          <button key={one.file} type="button" aria-pressed={one.file === log.file} onClick={() => setChosen(one.file)}>
            {one.file.replace("logs/", "")} <span class="count">{bytes(one.sizeBytes)}</span>
          </button>
        ))}
      </div>
      <Section title={log.file} note={bytes(log.sizeBytes)}>
        <LogText key={log.file} log={log} page={page} source={source} />
      </Section>
    </>
  );
}

function LogText({ log, page, source }: { log: PageLog; page: CapturePage; source: Source }) {
  const { say, bytes } = useSpeaker();
  const headBytes = new TextEncoder().encode(log.head).length;
  const tailBytes = log.tail === null ? 0 : new TextEncoder().encode(log.tail).length;
  const [middle, setMiddle] = useState({ text: "", end: headBytes });
  const [failure, setFailure] = useState<string>();
  if (log.sizeBytes === 0) return <Empty>{say("logs.empty")}</Empty>;
  const left = log.sizeBytes - tailBytes - middle.end;
  const loadMore = async (): Promise<void> => {
    if (source.kind !== "server") return;
    try {
      const end = Math.min(middle.end + PART_BYTES, log.sizeBytes - tailBytes);
      const part = await source.range(page.name, log.file, middle.end, end);
      setMiddle({ text: middle.text + part.text, end: part.end });
    } catch (error) {
      setFailure(String(error));
    }
  };
  return (
    <>
      <Block value={log.head + middle.text} label={log.file} />
      {log.tail !== null && left > 0 && (
        <p class="muted">
          {say("logs.middle", { bytes: bytes(left) })}{" "}
          {source.kind === "server" && (
            <button type="button" onClick={() => void loadMore()}>
              {say("logs.whole")}
            </button>
          )}
          {failure !== undefined && <span role="alert"> {say("app.failed", { message: failure })}</span>}
        </p>
      )}
      {log.tail !== null && <Block value={log.tail} label={`${log.file} (2)`} />}
    </>
  );
}
