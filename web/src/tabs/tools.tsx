import type { CapturePage } from "../../../src/schema/page.ts";
import type { ToolUse } from "../../../src/schema/summary.ts";
import { Chip } from "../components/chip.tsx";
import { EffectChips, Effects, Unattributed } from "../components/effects.tsx";
import { Fold, type OpenRows, useOpenRows } from "../components/fold.tsx";
import { Rows } from "../components/rows.tsx";
import { Empty, Facts, Section } from "../components/section.tsx";
import { Seen } from "../components/seen.tsx";
import { Block, Text } from "../components/text.tsx";
import { secondsAfter } from "../format.ts";
import { useSpeaker } from "../i18n/language.tsx";
import { headline, TOOL_TONE } from "../tool-words.ts";

interface Row {
  id: string;
  use: ToolUse;
}

export function Tools({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  const open = useOpenRows();
  const rows: Row[] = page.summary.tools.map((use, index) => ({ id: `tool:${index}`, use }));
  return (
    <>
      <Seen summary={page.summary} kind="model" />
      <Unattributed attribution={page.summary.attribution} />
      <Section title={say("tab.tools")}>
        {rows.length === 0 ? (
          <Empty>{say("tools.none")}</Empty>
        ) : (
          <Rows
            items={rows}
            keyOf={(row) => row.id}
            label={say("tab.tools")}
            row={(row) => <Use row={row} open={open} page={page} />}
          />
        )}
      </Section>
    </>
  );
}

function pretty(input: string): string {
  try {
    return JSON.stringify(JSON.parse(input), null, 2);
  } catch {
    return input;
  }
}

function CallFacts({ use }: { use: ToolUse }) {
  const { say } = useSpeaker();
  return (
    <Facts
      rows={[
        ["call", use.call_id === null ? null : <Text value={use.call_id} mono />],
        ["session", use.session_id === null ? null : <Text value={use.session_id} mono />],
        [
          say("timeline.sources"),
          use.sources.map((one) => say(one === "gateway" ? "tools.sourceGateway" : "tools.sourceAgent")).join(", "),
        ],
      ]}
    />
  );
}

function Use({ row: { id, use }, open, page }: { row: Row; open: OpenRows; page: CapturePage }) {
  const { say, duration } = useSpeaker();
  const start = page.summary.run.started_at;
  const watched = page.summary.attribution !== null;
  const seconds = use.started_at === null ? undefined : secondsAfter(start, use.started_at);
  const only =
    use.sources.length > 1 ? undefined : use.sources[0] === "gateway" ? "tools.onlyModel" : "tools.onlyAgent";
  return (
    <Fold
      id={id}
      rows={open}
      summary={
        <span class="event event-tool">
          <span class="event-time">{seconds === undefined ? "" : `+${seconds.toFixed(3)}`}</span>
          <span class="tool-name">
            <Text value={use.tool} mono />
          </span>
          <span class="event-title">
            <Text value={headline(use)} mono />
          </span>
          <span class="event-end">
            <EffectChips effects={use.effects} />
            {use.duration_ms !== null && <span class="muted">{duration(use.duration_ms / 1000)}</span>}
            {only !== undefined && <Chip>{say(only)}</Chip>}
            <Chip tone={TOOL_TONE[use.status]}>{say(`tools.status.${use.status}`)}</Chip>
          </span>
        </span>
      }
    >
      {() => (
        <>
          <CallFacts use={use} />
          {watched && (
            <>
              <h3>{say("effects.title")}</h3>
              <Effects effects={use.effects} />
            </>
          )}
          <h3>{say("tools.input")}</h3>
          <Block value={pretty(use.input)} label={say("tools.input")} />
          {use.output_preview !== null && (
            <>
              <h3>{say("tools.output")}</h3>
              <Block value={use.output_preview} label={say("tools.output")} />
            </>
          )}
        </>
      )}
    </Fold>
  );
}
