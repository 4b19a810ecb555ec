import type { CapturePage, PageExchange } from "../../../src/schema/page.ts";
import { Chip } from "../components/chip.tsx";
import { Fold, type OpenRows, useOpenRows } from "../components/fold.tsx";
import { Rows } from "../components/rows.tsx";
import { Empty, Facts, Section } from "../components/section.tsx";
import { Seen } from "../components/seen.tsx";
import { Block, Text } from "../components/text.tsx";
import { secondsAfter } from "../format.ts";
import { useSpeaker } from "../i18n/language.tsx";

export function Conversation({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  const open = useOpenRows();
  const earlier = page.summary.run.schema_version === 0;
  return (
    <>
      <Seen summary={page.summary} kind="model" />
      <Section title={say("tab.conversation")}>
        {page.exchanges.length === 0 ? (
          <Empty>{say(earlier ? "conversation.earlier" : "conversation.none")}</Empty>
        ) : (
          <Rows
            items={page.exchanges}
            keyOf={(one) => `model:${one.seq}`}
            label={say("tab.conversation")}
            row={(one) => <Exchange one={one} open={open} start={page.summary.run.started_at} />}
          />
        )}
      </Section>
    </>
  );
}

function Exchange({ one, open, start }: { one: PageExchange; open: OpenRows; start: string | null }) {
  const { say, duration } = useSpeaker();
  const seconds = secondsAfter(start, one.started_at);
  const calls = one.toolCalls.map((call) => call.name).join(", ");
  const words = one.error ?? (one.text?.trim() ? one.text : calls);
  return (
    <Fold
      id={`model:${one.seq}`}
      rows={open}
      summary={
        <span class="event event-exchange">
          <span class="event-time">{seconds === undefined ? "" : `+${seconds.toFixed(3)}`}</span>
          <span class="event-title">
            <Text value={words} />
          </span>
          <span class="event-end">
            {one.duration_ms !== null && <span class="muted">{duration(one.duration_ms / 1000)}</span>}
            {one.toolCalls.length > 0 && (
              <Chip>
                <Text value={calls} mono />
              </Chip>
            )}
            {one.failed ? (
              <Chip tone="bad">{say("conversation.failed")}</Chip>
            ) : (
              <Chip>
                <Text value={one.finish_reason ?? String(one.status ?? "?")} mono />
              </Chip>
            )}
          </span>
        </span>
      }
    >
      {() => <ExchangeDetails one={one} />}
    </Fold>
  );
}

function ExchangeDetails({ one }: { one: PageExchange }) {
  const { say, bytes, number } = useSpeaker();
  const usage = one.usage;
  const amount = (value: number | null): string => (value === null ? "?" : number(value));
  return (
    <>
      <Facts
        rows={[
          ["HTTP", <Text key="http" value={`${one.method} ${one.path} → ${one.status ?? "?"}`} mono />],
          [say("head.model"), one.model === null ? null : <Text value={one.model} mono />],
          [say("conversation.session"), one.session_id === null ? null : <Text value={one.session_id} mono />],
          [
            "tokens",
            usage === null
              ? null
              : say("conversation.tokens", { input: amount(usage.input_tokens), output: amount(usage.output_tokens) }),
          ],
          ["sha256", <Text key="hash" value={`${one.requestSha256} → ${one.responseSha256 ?? "?"}`} mono />],
        ]}
      />
      <h3>{say("conversation.new")}</h3>
      <p class="muted">
        {say("conversation.request", { messages: amount(one.message_count), bytes: bytes(one.requestBytes) })}
      </p>
      {one.newMessages === null && <Empty>{say("conversation.noBody")}</Empty>}
      {one.newMessages?.map((message, index) => (
        <div class="message" key={`${message.role}${index}`}>
          <Chip>
            <Text value={message.role} mono />
          </Chip>
          <Block value={message.text} label={`${message.role} ${index + 1}`} />
        </div>
      ))}
      <Answer one={one} />
    </>
  );
}

function Answer({ one }: { one: PageExchange }) {
  const { say } = useSpeaker();
  return (
    <>
      <h3>{say("conversation.answer")}</h3>
      {one.answer_state !== "complete" && (
        <p class="muted">
          <Chip tone="warn">{one.answer_state}</Chip> {say(`answer.${one.answer_state}`)}
        </p>
      )}
      {one.error !== null && <Block value={one.error} label={say("conversation.failed")} />}
      {one.reasoning !== null && (
        <div class="message">
          <Chip>{say("conversation.reasoning")}</Chip>
          <Block value={one.reasoning} label={say("conversation.reasoning")} />
        </div>
      )}
      {one.text?.trim() ? (
        <Block value={one.text} label={say("conversation.answer")} />
      ) : (
        <Empty>{say("conversation.noText")}</Empty>
      )}
      {one.toolCalls.map((call, index) => (
        <div class="message" key={call.id ?? index}>
          <Chip>
            <Text value={call.name} mono />
          </Chip>
          <Block value={call.arguments} label={`${say("conversation.calls")} ${index + 1}`} />
        </div>
      ))}
    </>
  );
}
