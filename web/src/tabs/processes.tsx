import { useMemo, useState } from "preact/hooks";
import type { CapturePage } from "../../../src/schema/page.ts";
import { Filter, matches } from "../components/filter.tsx";
import { Fold, type OpenRows, useOpenRows } from "../components/fold.tsx";
import { Rows } from "../components/rows.tsx";
import { Empty, Facts, Section } from "../components/section.tsx";
import { Seen } from "../components/seen.tsx";
import { ShownOf } from "../components/shown-of.tsx";
import { Block, Text } from "../components/text.tsx";
import { secondsAfter } from "../format.ts";
import { useSpeaker } from "../i18n/language.tsx";
import { type TreeRow, treeRows } from "../process-tree.ts";

export function Processes({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  const open = useOpenRows();
  const [query, setQuery] = useState("");
  const tree = page.summary.observations.process;
  const rows = useMemo(() => treeRows(tree?.processes ?? []), [tree]);
  const shown = rows.filter(({ process }) => matches(query, [process.args, process.command, process.pid, process.exe]));
  return (
    <>
      <Seen summary={page.summary} kind="process" />
      <Section title={say("tab.processes")}>
        <div class="tools-bar">
          <Filter label={say("process.filter")} value={query} onChange={setQuery} />
        </div>
        {tree?.truncated === true && <p class="muted">{say("process.cut")}</p>}
        <ShownOf shown={rows.length} total={page.summary.counts.processes_total} />
        {shown.length === 0 ? (
          <Empty>{say("process.none")}</Empty>
        ) : (
          <Rows
            items={shown}
            keyOf={(row) => row.id}
            label={say("tab.processes")}
            row={(row) => <Process row={row} open={open} start={page.summary.run.started_at} flat={query !== ""} />}
          />
        )}
      </Section>
    </>
  );
}

interface ProcessProps {
  row: TreeRow;
  open: OpenRows;
  start: string | null;
  /** While a filter hides parents, depth would mislead. */
  flat: boolean;
}

function Process({ row: { id, process, depth }, open, start, flat }: ProcessProps) {
  const { say, number } = useSpeaker();
  const seconds = secondsAfter(start, process.first_seen_at);
  const args = process.argv?.join(" ") ?? process.args;
  return (
    <Fold
      id={id}
      rows={open}
      summary={
        <span class="event event-process" style={{ "--depth": flat ? 0 : depth }}>
          <span class="event-time">{seconds === undefined ? "" : `+${seconds.toFixed(1)}`}</span>
          <span class="tree-name">
            <b>
              <Text value={process.command} mono />
            </b>{" "}
            <Text value={args} mono />
          </span>
          <span class="event-end muted">{say("process.pid", { pid: process.pid })}</span>
        </span>
      }
    >
      {() => (
        <>
          <Facts
            rows={[
              [say("process.program"), process.exe === null ? null : <Text value={process.exe} mono />],
              [say("process.directory"), process.cwd === null ? null : <Text value={process.cwd} mono />],
              [say("process.user"), process.uid === null ? null : String(process.uid)],
              ["ppid", <Text key="ppid" value={process.ppid} mono />],
              [say("process.firstSeen"), <Text key="first" value={process.first_seen_at} mono />],
              [say("process.lastSeen"), <Text key="last" value={process.last_seen_at} mono />],
              [say("process.samples"), number(process.samples)],
            ]}
          />
          <Block value={process.argv?.join("\n") ?? process.args} label="argv" />
        </>
      )}
    </Fold>
  );
}
