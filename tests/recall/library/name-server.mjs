// Answers questions for names at 127.0.0.1:53 until its input ends. Started in a container's network namespace.
import { createSocket } from "node:dgram";
import { decode, encode } from "dns-packet";

const NXDOMAIN = 3;
const socket = createSocket("udp4");
socket.on("message", (message, from) => {
  const { id, questions } = decode(message);
  const [{ name }] = questions;
  const known = name.startsWith("known");
  const answers = known ? [{ type: "A", name, data: "192.0.2.7" }] : [];
  socket.send(
    encode({ type: "response", id, flags: known ? 0 : NXDOMAIN, questions, answers }),
    from.port,
    from.address,
  );
});
socket.bind(53, "127.0.0.1");
process.stdin.resume().on("end", () => process.exit());
