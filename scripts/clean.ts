import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline/promises";
import { cacheDirectory } from "../src/cli/cache-directory.ts";
import { exec } from "../src/core/exec.ts";
import { isAlive, parseIdentity } from "../src/core/process-identity.ts";
import { listAgentImages, removeAgentImages } from "../src/engine/image/agent-image.ts";
import type { ContainerEngine } from "../src/engine/port.ts";
import { tryEngines } from "../src/engine/select.ts";
import { LABEL } from "../src/sandbox/container-spec.ts";

/**
 * `make clean`: removes what set-up and runs made on this machine, after saying what that is and asking.
 * YES=1 skips the question. Packages of the distribution stay; it says which.
 */
interface Item {
  what: string;
  remove(): Promise<unknown>;
}

const ROOT = path.resolve(import.meta.dirname, "..");
/** Relative to the repository; node_modules last, since this program runs from it. */
const OWN_PATHS = ["artifacts", "dist", "web/dist", ".cache", "node_modules"];

async function engineItems(engine: ContainerEngine): Promise<Item[]> {
  const { kind } = engine.description;
  const containers = await engine.listContainers(LABEL.run);
  for (const container of containers) {
    const owner = parseIdentity(container.labels[LABEL.owner] ?? "");
    if (owner !== undefined && isAlive(owner))
      throw new Error(`a capture is running (${container.name}): wait for its end`);
  }
  const images = await listAgentImages(engine);
  return [
    ...containers.map(({ id, name, state }) => ({
      what: `${kind} container ${name} (${state})`,
      remove: () => engine.removeContainer(id),
    })),
    ...(images.length === 0
      ? []
      : [
          {
            what: images
              .map((image) => `${kind} image ${image.tags[0] ?? image.id}, ${megabytes(image.sizeBytes)}`)
              .join("\n  "),
            remove: () => removeAgentImages(engine),
          },
        ]),
  ];
}

async function pathItem(name: string, absolute: string): Promise<Item[]> {
  if (!existsSync(absolute)) return [];
  const du = await exec("du", ["--summarize", "--block-size=1", absolute]);
  const size = megabytes(Number.parseInt(du.stdout, 10) || 0);
  return [{ what: `${name}, ${size}`, remove: () => rm(absolute, { recursive: true, force: true }) }];
}

async function collect(): Promise<Item[]> {
  const items: Item[] = [];
  for (const { engine } of await tryEngines()) {
    if (engine !== undefined) items.push(...(await engineItems(engine)));
  }
  const cache = cacheDirectory();
  items.push(...(await pathItem(cache.replace(os.homedir(), "~"), cache)));
  for (const name of OWN_PATHS) items.push(...(await pathItem(name, path.join(ROOT, name))));
  return items;
}

async function confirmed(): Promise<boolean> {
  if (process.env["YES"] === "1") return true;
  if (!process.stdin.isTTY) {
    console.error("nothing was removed: there is no terminal to ask on; YES=1 removes it without asking");
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question("Remove all of it? [y/N] ");
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

async function main(): Promise<number> {
  const items = await collect();
  if (items.length === 0) {
    console.log("there is nothing to remove");
    return 0;
  }
  console.log(`This removes:\n${items.map((item) => `  ${item.what}`).join("\n")}`);
  if (!(await confirmed())) return 2;
  const packages = await readFile(path.join(ROOT, ".cache/setup/system-packages"), "utf8").catch(() => "");
  for (const item of items) await item.remove();
  console.log("removed");
  const names = [...new Set(packages.split("\n").filter(Boolean))];
  if (names.length > 0)
    console.log(`Packages that set-up installed stay; to remove them: apt-get purge ${names.join(" ")}`);
  return 0;
}

process.exitCode = await main();
