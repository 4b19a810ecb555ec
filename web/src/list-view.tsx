import { useMemo, useState } from "preact/hooks";
import type { CaptureListAnswer } from "../../src/browser/api.ts";
import { visible } from "../../src/schema/display.ts";
import type { CaptureListEntry } from "../../src/schema/page.ts";
import { Chip, toneOfLevel, toneOfRisk, toneOfStatus } from "./components/chip.tsx";
import { Filter, matches } from "./components/filter.tsx";
import { Rows } from "./components/rows.tsx";
import { Empty } from "./components/section.tsx";
import { Text } from "./components/text.tsx";
import { useSpeaker } from "./i18n/language.tsx";
import { routeTo } from "./route.ts";

/** All captures of the root, newest first. */
export function ListView({ list }: { list: CaptureListAnswer | undefined }) {
  const { say, number } = useSpeaker();
  const [query, setQuery] = useState("");
  const shown = useMemo(() => (list?.captures ?? []).filter((one) => matchesEntry(query, one)), [list, query]);
  return (
    <main id="content" class="page" tabIndex={-1}>
      <div class="list-head">
        <h1>{say("list.title")}</h1>
        <Filter label={say("list.filter")} hint={say("list.filterHint")} value={query} onChange={setQuery} />
      </div>
      {list === undefined ? (
        <Empty>{say("app.loading")}</Empty>
      ) : (
        <>
          <p class="muted" role="status">
            {say("list.count", { shown: number(shown.length), total: number(list.captures.length), root: list.root })}
          </p>
          {list.notes.map((note) => (
            <p key={note} class="seen seen-warn" lang="en">
              <Chip tone="warn">{say("severity.warning")}</Chip>
              <Text value={note} />
            </p>
          ))}
          <ListBody list={list} shown={shown} />
        </>
      )}
    </main>
  );
}

function matchesEntry(query: string, one: CaptureListEntry): boolean {
  return matches(query, [one.name, one.issueId, one.title, one.runStatus, one.endReason, one.riskLevel, one.model]);
}

function ListBody({ list, shown }: { list: CaptureListAnswer; shown: readonly CaptureListEntry[] }) {
  const { say } = useSpeaker();
  if (list.captures.length === 0) {
    return (
      <Empty>
        {say("list.empty", { root: list.root })} {say("list.emptyHint")}{" "}
        <code>./scripts/run_opencode_capture.sh --issue fix_math_utils</code>
      </Empty>
    );
  }
  if (shown.length === 0) return <Empty>{say("list.noMatch")}</Empty>;
  return (
    <div class="panel panel-list">
      <Rows
        items={shown}
        keyOf={(one) => one.name}
        label={say("list.title")}
        estimatePx={64}
        row={(one) => <Entry one={one} />}
      />
    </div>
  );
}

function Entry({ one }: { one: CaptureListEntry }) {
  const speaker = useSpeaker();
  const { say, sayCode } = speaker;
  const status = one.finished ? (one.runStatus ?? "unfinished") : "unfinished";
  return (
    <a class="entry" href={routeTo(one.name)}>
      <span class="entry-main">
        <span class="entry-title">
          <Text value={one.title ?? one.issueId ?? one.name} />
        </span>
        <span class="entry-name">
          <Text value={one.name} mono />
        </span>
      </span>
      <span class="entry-facts">
        {one.problem !== null && <Chip tone="bad">{say("list.unreadable", { message: one.problem })}</Chip>}
        {one.problem === null && (
          <Chip tone={one.finished ? toneOfStatus(one.runStatus) : "warn"}>{sayCode("status", status, status)}</Chip>
        )}
        {one.captureValid === false && one.finished && <Chip tone="bad">{say("head.invalid")}</Chip>}
        {one.riskLevel !== null && (
          <Chip tone={toneOfRisk(one.riskLevel)}>{say("head.risk", { level: one.riskLevel })}</Chip>
        )}
        {one.completeness !== null && (
          <Chip tone={toneOfLevel(one.completeness)}>{sayCode("verdict", one.completeness, one.completeness)}</Chip>
        )}
        {one.formatVersion === 0 && <Chip>{say("head.earlier")}</Chip>}
      </span>
      <span class="entry-when">
        <span>{one.startedAt === null ? "" : speaker.dateTime(one.startedAt)}</span>
        <span class="muted">
          {[one.durationSeconds === null ? "" : speaker.duration(one.durationSeconds), visible(one.model ?? "")]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </span>
    </a>
  );
}
