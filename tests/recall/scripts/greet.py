"""Greets a server of its own by TLS, with a name that only the greeting has; every second greeting comes in two pieces."""
import json
import socket
import ssl
import sys

tag, n = sys.argv[1], int(sys.argv[2])
PLACE = ("127.0.0.1", 21443)


def greeting(name):
    out = ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


with socket.create_server(PLACE) as server:
    done = 0
    for i in range(n):
        hello = greeting(f"host{i}.{tag}.example.test")
        with socket.create_connection(PLACE) as near:
            far, _ = server.accept()
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            middle = len(hello) // 2 if i % 2 else len(hello)
            near.sendall(hello[:middle])
            got = far.recv(1 << 16)
            if middle < len(hello):
                near.sendall(hello[middle:])
                got += far.recv(1 << 16)
            far.close()
        done += got == hello
print("RECALL", json.dumps({"case": "greet.py", "tag": tag, "n": n, "done": done}))
