/**
 * Runs for a moment inside the container's network namespace (`nsenter --net`), opens the sockets that the supervisor
 * wants there and hands them over by Node's IPC channel. Afterwards no process of ours is in the agent's reach, and
 * the supervisor accepts the container's connections itself.
 */
import { createServer } from "node:net";

interface WantedListener {
  name: string;
  host: string;
  port: number;
}

async function handOver(want: WantedListener): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: want.host, port: want.port, backlog: 1024 }, resolve);
  });
  await new Promise<void>((resolve, reject) => {
    if (process.send === undefined) return reject(new Error("started without an IPC channel"));
    process.send({ name: want.name }, server, {}, (error) => (error === null ? resolve() : reject(error)));
  });
  server.close();
}

const wanted = JSON.parse(process.argv[2] ?? "[]") as WantedListener[];
for (const want of wanted) await handOver(want);
process.disconnect();
