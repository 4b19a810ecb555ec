"""Known work for `opencode-capture selftest`: workload.py TAG COUNT PER_SECOND.

Does each kind of thing COUNT times and prints, as one line of JSON, how often each went exactly as meant.
"""
import ctypes
import errno
import json
import os
import socket
import struct
import sys
import threading
import time

TAG, COUNT, PER_SECOND = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
OPEN_PORT, CLOSED_PORT, UDP_PORT = 21000, 21001, 21002
IO_URING_SETUP = 425
CLONE_NEWUSER = 0x10000000
libc = ctypes.CDLL(None, use_errno=True)


def process(i):
    child = os.posix_spawn("/bin/true", ["/bin/true", f"{TAG}-{i}"], os.environ)
    return os.waitpid(child, 0)[1] == 0


def failed_process(i):
    child = os.fork()
    if child == 0:
        try:
            os.execv(f"/tmp/missing-{TAG}-{i}", ["missing"])
        except FileNotFoundError:
            os._exit(42)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42


def short_file(i):
    path = f"/workspace/short-{TAG}-{i}"
    with open(path, "xb", buffering=0) as file:
        written = file.write(b"ten bytes!")
    os.unlink(path)
    return written == 10


def renamed_file(i):
    path = f"/workspace/from-{TAG}-{i}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.rename(path, f"/workspace/to-{TAG}-{i}")
    return True


def connection(i):
    with socket.create_connection((f"127.5.{i // 200}.{1 + i % 200}", OPEN_PORT)) as end:
        return end.recv(2) == b"ok"


def refused_connection(i):
    with socket.socket() as end:
        return end.connect_ex((f"127.6.{i // 200}.{1 + i % 200}", CLOSED_PORT)) == errno.ECONNREFUSED


def datagram(i):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        return end.sendto(b"datagram", (f"127.7.{i // 200}.{1 + i % 200}", UDP_PORT)) == 8


def name(i):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in (f"host{i}", TAG, "test"))
    question = struct.pack(">6H", i, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        return end.sendto(question, ("127.0.0.53", 53)) == len(question)


def refused_attempt(i):
    ring = libc.syscall(IO_URING_SETUP, 8, ctypes.create_string_buffer(120))
    ring_errno = ctypes.get_errno()
    space = libc.unshare(CLONE_NEWUSER)
    return ring == -1 and space == -1 and ring_errno in (errno.EPERM, errno.ENOSYS)


def serve(listener):
    while True:
        end, _ = listener.accept()
        with end:
            end.sendall(b"ok")


def paced(kind):
    done, began = 0, time.monotonic()
    for i in range(COUNT):
        time.sleep(max(0.0, began + i / PER_SECOND - time.monotonic()))
        done += bool(kind(i))
    return done


listener = socket.create_server(("0.0.0.0", OPEN_PORT), backlog=128)
threading.Thread(target=serve, args=(listener,), daemon=True).start()
KINDS = [
    process,
    failed_process,
    short_file,
    renamed_file,
    connection,
    refused_connection,
    datagram,
    name,
    refused_attempt,
]
print(json.dumps({kind.__name__: paced(kind) for kind in KINDS}))
