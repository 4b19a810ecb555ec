import { useMemo, useState } from "preact/hooks";
import type { CapturePage } from "../../../src/schema/page.ts";
import type { TimelineEntry, TimelineSource } from "../../../src/schema/summary.ts";
import { Filter, matches } from "../components/filter.tsx";
import { Fold, type OpenRows, useOpenRows } from "../components/fold.tsx";
import { Rows } from "../components/rows.tsx";
import { Empty, Facts, Section } from "../components/section.tsx";
import { Block, Text } from "../components/text.tsx";
import { secondsAfter } from "../format.ts";
import { useSpeaker } from "../i18n/language.tsx";

const OUTSIDE: readonly TimelineSource[] = ["supervisor", "gateway", "process", "network", "filesystem"];

export function Timeline({ page }: { page: CapturePage }) {
  const { say, number } = useSpeaker();
  const { timeline, counts } = page.summary;
  const [query, setQuery] = useState("");
  const [hidden, setHidden] = useState<readonly TimelineSource[]>([]);
  const found = useMemo(() => timeline.filter((one) => matches(query, textsOf(one))), [timeline, query]);
  const outside = useMemo(
    () => found.filter((one) => one.source !== "agent" && !hidden.includes(one.source)),
    [found, hidden],
  );
  const agent = useMemo(() => found.filter((one) => one.source === "agent"), [found]);
  const cut = timeline.length < counts.timeline_total;
  return (
    <>
      <div class="tools-bar">
        <Filter label={say("timeline.filter")} value={query} onChange={setQuery} />
        <Sources hidden={hidden} onChange={setHidden} />
      </div>
      {cut && (
        <p class="muted">
          {say("timeline.cut", { shown: number(timeline.length), total: number(counts.timeline_total) })}
        </p>
      )}
      <Section title={say("timeline.outside")} note={say("timeline.outsideHelp")}>
        <Entries entries={outside} page={page} label={say("timeline.outside")} />
      </Section>
      <Section title={say("timeline.agent")} note={say("timeline.agentHelp")}>
        {counts.significant_total + counts.noise_total === 0 ? (
          <Empty>{say("timeline.noEvents")}</Empty>
        ) : (
          <Entries entries={agent} page={page} label={say("timeline.agent")} />
        )}
        <Noise page={page} query={query} />
      </Section>
    </>
  );
}

function textsOf(one: TimelineEntry): (string | null)[] {
  return [one.type, one.title, one.detail, one.call_id];
}

interface SourcesProps {
  hidden: readonly TimelineSource[];
  onChange(hidden: readonly TimelineSource[]): void;
}

function Sources({ hidden, onChange }: SourcesProps) {
  const { say } = useSpeaker();
  return (
    <fieldset class="checks">
      <legend class="sr">{say("timeline.sources")}</legend>
      {OUTSIDE.map((one) => (
        <label key={one}>
          <input
            type="checkbox"
            checked={!hidden.includes(one)}
            onChange={(event) =>
              onChange(event.currentTarget.checked ? hidden.filter((other) => other !== one) : [...hidden, one])
            }
          />
          {say(`source.${one}`)}
        </label>
      ))}
    </fieldset>
  );
}

function Entries({ entries, page, label }: { entries: readonly TimelineEntry[]; page: CapturePage; label: string }) {
  const { say } = useSpeaker();
  const open = useOpenRows();
  if (entries.length === 0) return <Empty>{say("timeline.empty")}</Empty>;
  const start = page.summary.run.started_at;
  return (
    <Rows
      items={entries}
      keyOf={(one) => one.id}
      label={label}
      row={(one) => <Entry one={one} start={start} open={open} />}
    />
  );
}

function Entry({ one, start, open }: { one: TimelineEntry; start: string | null; open: OpenRows }) {
  const { say, sayCode } = useSpeaker();
  const seconds = secondsAfter(start, one.timestamp);
  return (
    <Fold
      id={one.id}
      rows={open}
      summary={
        <span class="event">
          <span class="event-time">
            {seconds === undefined ? "" : `${seconds < 0 ? "" : "+"}${seconds.toFixed(3)}`}
          </span>
          <span class={`event-source source-${one.source}`}>{say(`source.${one.source}`)}</span>
          <span class="event-type">
            <Text value={sayCode("type", one.type, one.type)} />
          </span>
          <span class="event-title">
            <Text value={one.type === "phase" ? sayCode("phase", one.title, one.title) : one.title} />
          </span>
        </span>
      }
    >
      {() => (
        <>
          <Facts
            rows={[
              ["id", <Text key="id" value={one.id} mono />],
              ["type", <Text key="type" value={one.type} mono />],
              ["timestamp", <Text key="time" value={one.timestamp} mono />],
              ["session", one.session_id === null ? null : <Text value={one.session_id} mono />],
              ["call", one.call_id === null ? null : <Text value={one.call_id} mono />],
            ]}
          />
          <Block
            value={[one.title, one.detail].filter((text) => text !== null && text !== "").join("\n")}
            label={one.id}
          />
        </>
      )}
    </Fold>
  );
}

function Noise({ page, query }: { page: CapturePage; query: string }) {
  const { say, number } = useSpeaker();
  const { noise, counts } = page.summary;
  const shown = useMemo(() => noise.filter((one) => matches(query, textsOf(one))), [noise, query]);
  const [open, setOpen] = useState(false);
  if (counts.noise_total === 0) return null;
  const types = Object.entries(counts.noise_by_type).sort(([, a], [, b]) => b - a);
  return (
    <details class="noise" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{say("timeline.noise", { count: number(counts.noise_total) })}</summary>
      <ul class="type-counts">
        {types.slice(0, 50).map(([type, count]) => (
          <li key={type}>
            <Text value={type} mono /> <b>{number(count)}</b>
          </li>
        ))}
      </ul>
      {open && (
        <>
          {noise.length < counts.noise_total && (
            <p class="muted">{say("timeline.noiseShown", { shown: number(noise.length) })}</p>
          )}
          <Entries entries={shown} page={page} label={say("timeline.noise", { count: counts.noise_total })} />
        </>
      )}
    </details>
  );
}
