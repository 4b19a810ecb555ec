"""Asks a name server for names that exist and names that do not; the server is put here from outside."""
import json
import socket
import struct
import sys
import time

tag, n = sys.argv[1], int(sys.argv[2])
SERVER = ("127.0.0.1", 53)
IN_PROC = " 0100007F:0035 "


def server_is_there():
    with open("/proc/net/udp", encoding="ascii") as table:
        return IN_PROC in table.read()


def question(number, name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


for _ in range(3000):
    if server_is_there():
        break
    time.sleep(0.1)
done = 0
for i in range(n):
    codes = []
    for at, kind in enumerate(("known", "missing")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.settimeout(60)
            end.sendto(question(2 * i + at, f"{kind}{i}.{tag}.example.test"), SERVER)
            answer, _ = end.recvfrom(512)
            codes.append(answer[3] & 15)
    done += codes == [0, 3]
print("RECALL", json.dumps({"case": "ask.py", "tag": tag, "n": n, "done": done}))
