import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { testCertificates } from "../support/certificates.ts";
import { ConnectProxy } from "../support/connect-proxy.ts";
import { CANARY_KEY, filesWith, liveRun } from "../support/live-run.ts";
import { ModelServer } from "../support/model-server.ts";
import { type TempProject, tempProject } from "../support/temp-project.ts";

// A run takes minutes where the machine is busy.
vi.setConfig({ testTimeout: 900_000 });

/** No name server knows it: only the proxy does. */
const HOST = "model.test";
const PASSWORD = "hunter2hunter2";
const MODEL = "openai-compatible/local";
const certificates = testCertificates(HOST);
let server: ModelServer;
let authorityFile: string;
let project: TempProject;

beforeAll(async () => {
  const turn = {
    text: "",
    tools: [{ id: "c", name: "bash", args: { command: "echo x > out.txt", description: "run" } }],
  };
  server = await new ModelServer([turn], [], { key: certificates.key, cert: certificates.certificate }).start();
  project = tempProject([]);
  authorityFile = path.join(project.dir, "authority.pem");
  fs.writeFileSync(authorityFile, certificates.authority);
});
afterAll(async () => {
  project?.[Symbol.dispose]();
  await server?.[Symbol.asyncDispose]();
});

const run = (variables: Record<string, string>) =>
  liveRun(project, MODEL, { url: `https://${HOST}/v1` }, { env: { NODE_EXTRA_CA_CERTS: authorityFile, ...variables } });

it.concurrent("real OpenCode with a model behind a CONNECT proxy, with a certificate of a private authority", async () => {
  await using proxy = await new ConnectProxy(server.port).start();
  const url = `http://me:${PASSWORD}@127.0.0.1:${proxy.port}`;
  const { result, record, exchanges, dir } = await run({ HTTPS_PROXY: url });
  expect(record, result.stderr).toMatchObject({ run_status: "completed", end_reason: "exit", capture_valid: true });
  expect(exchanges.map((one) => [one.status, one.upstream?.url])).toEqual([
    [200, `https://${HOST}/v1/chat/completions`],
    [200, `https://${HOST}/v1/chat/completions`],
  ]);
  expect(new Set(proxy.asked.map(({ target }) => target))).toEqual(new Set([`${HOST}:443`]));
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(Array(2).fill(`Bearer ${CANARY_KEY}`));
  expect(result.stderr).toContain(`through the proxy http://127.0.0.1:${proxy.port} (HTTPS_PROXY)`);
  expect(result.stderr).not.toContain(PASSWORD);
  expect(filesWith(dir, PASSWORD)).toEqual([]);
  expect(filesWith(dir, CANARY_KEY)).toEqual([]);
});

it.concurrent("ends at once, and says how to mend it, when the proxy wants a password", async () => {
  await using proxy = await new ConnectProxy(server.port).start();
  proxy.mood = { status: 407, reason: "Proxy Authentication Required" };
  const { result, record, exchanges } = await run({ ALL_PROXY: `127.0.0.1:${proxy.port}` });
  expect(record, result.stderr).toMatchObject({
    run_status: "failed",
    end_reason: "model-unreachable",
    capture_valid: true,
  });
  const why = `the proxy http://127.0.0.1:${proxy.port} (ALL_PROXY) wants a user and a password (407); write ALL_PROXY=http://`;
  expect(record.end_detail).toContain(why);
  expect(result.stderr).toContain(why);
  expect(exchanges).toHaveLength(1);
  expect(exchanges[0]).toMatchObject({ status: 403, error_kind: "model-unreachable" });
  expect(exchanges[0]?.response?.text).not.toContain(String(proxy.port));
});
