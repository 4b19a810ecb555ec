import { useState } from "preact/hooks";
import type { CapturePage } from "../../../src/schema/page.ts";
import type { ConnectionView } from "../../../src/schema/view.ts";
import { Chip, type Tone } from "../components/chip.tsx";
import { Filter, matches } from "../components/filter.tsx";
import { Rows } from "../components/rows.tsx";
import { Empty, Section } from "../components/section.tsx";
import { Seen } from "../components/seen.tsx";
import { ShownOf } from "../components/shown-of.tsx";
import { Text } from "../components/text.tsx";
import { secondsAfter } from "../format.ts";
import { useSpeaker } from "../i18n/language.tsx";

interface Row {
  id: string;
  one: ConnectionView;
}

export function Network({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  const [query, setQuery] = useState("");
  const network = page.summary.observations.network;
  const rows: Row[] = (network?.connections ?? []).map((one, index) => ({ id: `connection:${index}`, one }));
  const shown = rows.filter(({ one }) => matches(query, [one.remote, one.local, one.proto, one.state, one.role]));
  return (
    <>
      <Seen summary={page.summary} kind="network" />
      <Seen summary={page.summary} kind="dns" />
      <Section title={say("tab.network")}>
        {rows.length > 0 && (
          <div class="tools-bar">
            <Filter label={say("network.filter")} value={query} onChange={setQuery} />
          </div>
        )}
        {network?.truncated === true && <p class="muted">{say("network.cut")}</p>}
        <ShownOf shown={rows.length} total={page.summary.counts.connections_total} />
        {shown.length === 0 ? (
          <Empty>{say("network.none")}</Empty>
        ) : (
          <Rows
            items={shown}
            keyOf={(row) => row.id}
            label={say("tab.network")}
            row={(row) => <Connection one={row.one} start={page.summary.run.started_at} />}
          />
        )}
      </Section>
    </>
  );
}

const TONE: Record<NonNullable<ConnectionView["role"]>, Tone> = {
  "model-gateway": "ok",
  loopback: "plain",
  external: "bad",
  unix: "plain",
  unknown: "plain",
};

function Connection({ one, start }: { one: ConnectionView; start: string | null }) {
  const { say, number } = useSpeaker();
  const seconds = secondsAfter(start, one.first_seen_at);
  const pids =
    one.pids === null || one.pids.length === 0 ? undefined : say("network.pids", { pids: one.pids.join(", ") });
  return (
    <div class="event event-network">
      <span class="event-time">{seconds === undefined ? "" : `+${seconds.toFixed(1)}`}</span>
      <span class="mono">
        <Text value={one.proto} />
      </span>
      <span class="event-title">
        <Text value={`${one.local ?? "?"} → ${one.remote}`} mono />
      </span>
      <span class="event-end">
        <span class="muted">
          <Text
            value={[one.state, say("network.samples", { count: number(one.samples) }), pids]
              .filter(Boolean)
              .join(" · ")}
          />
        </span>
        {one.role !== null && <Chip tone={TONE[one.role]}>{say(`network.${one.role}`)}</Chip>}
      </span>
    </div>
  );
}
