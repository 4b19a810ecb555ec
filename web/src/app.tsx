import { useCallback, useEffect, useState } from "preact/hooks";
import type { CaptureListAnswer } from "../../src/browser/api.ts";
import { visible } from "../../src/schema/display.ts";
import type { CapturePage } from "../../src/schema/page.ts";
import { CaptureView } from "./capture-view.tsx";
import { LanguageProvider, useSpeaker } from "./i18n/language.tsx";
import { ListView } from "./list-view.tsx";
import { routeTo, useRoute } from "./route.ts";
import type { EmbeddedSource, ServerSource, Source } from "./source.ts";
import { TopBar } from "./top-bar.tsx";

type Loading<T> = { state: "loading" } | { state: "ready"; value: T } | { state: "failed"; message: string };

function useLoaded<T>(load: () => Promise<T>, again: number): Loading<T> {
  const [loading, setLoading] = useState<Loading<T>>({ state: "loading" });
  // `again` loads once more
  useEffect(() => {
    let current = true;
    setLoading({ state: "loading" });
    load().then(
      (value) => current && setLoading({ state: "ready", value }),
      (error: unknown) => current && setLoading({ state: "failed", message: String(error) }),
    );
    return () => {
      current = false;
    };
  }, [load, again]);
  return loading;
}

export function App({ source }: { source: Source }) {
  return (
    <LanguageProvider>
      {source.kind === "embedded" ? <ReportApp source={source} /> : <BrowserApp source={source} />}
    </LanguageProvider>
  );
}

function ReportApp({ source }: { source: EmbeddedSource }) {
  const [again, setAgain] = useState(0);
  const load = useCallback(() => source.load(), [source]);
  const loading = useLoaded(load, again);
  return (
    <>
      <TopBar list={undefined} current={undefined} onRescan={undefined} busy={false} />
      <Loaded loading={loading} onRetry={() => setAgain(again + 1)}>
        {(page) => <CapturePane page={page} source={source} />}
      </Loaded>
    </>
  );
}

function BrowserApp({ source }: { source: ServerSource }) {
  const route = useRoute();
  const [rescans, setRescans] = useState(0);
  const [list, setList] = useState<CaptureListAnswer>();
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(true);
  const read = useCallback(
    async (rescan: boolean) => {
      setBusy(true);
      try {
        setList(await source.list(rescan));
        setFailure(undefined);
      } catch (error) {
        setFailure(String(error));
      }
      setBusy(false);
    },
    [source],
  );
  useEffect(() => void read(false), [read]);
  const rescan = async (): Promise<void> => {
    await read(true);
    setRescans((count) => count + 1);
  };
  return (
    <>
      <TopBar list={list} current={route.capture} onRescan={() => void rescan()} busy={busy} />
      {failure !== undefined && <Failure message={failure} onRetry={() => void rescan()} />}
      {route.capture === undefined ? (
        <ListView list={list} />
      ) : (
        <OneCapture key={route.capture} name={route.capture} source={source} again={rescans} />
      )}
    </>
  );
}

function OneCapture({ name, source, again }: { name: string; source: ServerSource; again: number }) {
  const [retries, setRetries] = useState(0);
  const load = useCallback(() => source.load(name), [source, name]);
  const loading = useLoaded(load, again + retries);
  return (
    <Loaded loading={loading} onRetry={() => setRetries(retries + 1)}>
      {(page) => <CapturePane page={page} source={source} />}
    </Loaded>
  );
}

function CapturePane({ page, source }: { page: CapturePage; source: Source }) {
  const route = useRoute();
  useEffect(() => {
    document.title = `${visible(page.summary.run.issue_title ?? page.name)} · opencode-capture`;
  }, [page]);
  return <CaptureView page={page} source={source} tab={route.tab} hrefOf={(tab) => routeTo(page.name, tab)} />;
}

interface LoadedProps<T> {
  loading: Loading<T>;
  onRetry(): void;
  children: (value: T) => preact.ComponentChildren;
}

function Loaded<T>({ loading, onRetry, children }: LoadedProps<T>) {
  const { say } = useSpeaker();
  switch (loading.state) {
    case "loading":
      return (
        <main id="content" class="page" tabIndex={-1}>
          <p class="empty" role="status">
            {say("app.loading")}
          </p>
        </main>
      );
    case "failed":
      return <Failure message={loading.message} onRetry={onRetry} />;
    default:
      return <>{children(loading.value)}</>;
  }
}

function Failure({ message, onRetry }: { message: string; onRetry(): void }) {
  const { say } = useSpeaker();
  return (
    <div class="page failure" role="alert">
      <p>{say("app.failed", { message: visible(message) })}</p>
      <button type="button" onClick={onRetry}>
        {say("app.retry")}
      </button>
    </div>
  );
}
