import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import * as net from "node:net";
import type { Duplex } from "node:stream";

/** What the proxy does with CONNECT: passes it on, or answers so. */
export type ProxyMood = "connect" | "silent" | "hang-up" | { status: number; reason: string };

/** An HTTP proxy on this machine. Whatever host is asked for, it connects to `targetPort` here. */
export class ConnectProxy implements AsyncDisposable {
  readonly asked: { target: string; authorization: string | undefined }[] = [];
  mood: ProxyMood = "connect";
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((request, response) => {
      this.asked.push({ target: request.url ?? "", authorization: request.headers["proxy-authorization"] });
      response.writeHead(typeof this.mood === "object" ? this.mood.status : 501).end("by the proxy");
    });
    this.#server.on("connect", (request: IncomingMessage, socket: Duplex) => this.#connect(request, socket));
  }

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #connect(request: IncomingMessage, socket: Duplex): void {
    this.asked.push({ target: request.url ?? "", authorization: request.headers["proxy-authorization"] });
    this.#keep(socket);
    if (typeof this.mood === "object") {
      socket.end(`HTTP/1.1 ${this.mood.status} ${this.mood.reason}\r\ncontent-length: 0\r\n\r\n`);
    } else if (this.mood === "hang-up") {
      socket.destroy();
    } else if (this.mood === "connect") {
      const onward = net.connect(this.#targetPort, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        onward.pipe(socket).pipe(onward);
      });
      this.#keep(onward);
    }
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
