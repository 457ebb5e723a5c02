"""The way out of a container without network: HTTP on its loopback, frames on our own streams.

Each request is read whole, handed to standard output, and answered by what comes on standard
input. A frame is a kind (one byte), the number of a request and a length (four bytes each), and
so many bytes. Out: `L` listening, `Q` a request. In: `H` begin, `S` status and headers, `D` a
part of the body, `E` its end, `X` break the connection.
"""
import json
import os
import queue
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn

HEAD = struct.Struct(">cII")
MOST = 32 << 20
AT_ONCE = 16

waiting = {}
writing = threading.Lock()
slots = threading.Semaphore(AT_ONCE)
count = [0]


def send(kind, number, payload):
    data = HEAD.pack(kind, number, len(payload)) + payload
    with writing:
        while data:
            data = data[os.write(1, data):]


def received(length):
    parts = []
    while length:
        part = os.read(0, min(length, 1 << 20))
        if not part:
            # The host is gone: nothing here is of use any more.
            os._exit(0)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def frame():
    kind, number, length = HEAD.unpack(received(HEAD.size))
    return kind, number, received(length)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 900

    def log_message(self, *_):
        pass

    def handle_expect_100(self):
        self.send_response_only(100)
        self.end_headers()
        return True

    def answer(self):
        body = self.body()
        if body is None:
            self.send_error(413)
            self.close_connection = True
            return
        with slots:
            self.ask(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = answer

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MOST:
            return None
        return self.rfile.read(int(length))

    def chunks(self):
        parts, total = [], 0
        while True:
            size = int(self.rfile.readline(100).split(b";")[0], 16)
            total += size
            if total > MOST:
                return None
            parts.append(self.rfile.read(size))
            self.rfile.readline(100)
            if not size:
                return b"".join(parts)

    def ask(self, body):
        mine = queue.Queue()
        with writing:
            count[0] += 1
            number = count[0]
            waiting[number] = mine
        headers = {name.lower(): value for name, value in self.headers.items()}
        head = json.dumps({"method": self.command, "path": self.path, "headers": headers})
        try:
            send(b"Q", number, head.encode() + b"\n" + body)
            self.pass_on(mine)
        finally:
            waiting.pop(number, None)

    def pass_on(self, mine):
        kind, payload = mine.get()
        if kind != b"S":
            self.close_connection = True
            return
        head = json.loads(payload)
        self.send_response(head["status"])
        for name, value in head["headers"].items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            kind, payload = mine.get()
            if kind == b"X":
                self.close_connection = True
                return
            if kind == b"E":
                self.wfile.write(b"0\r\n\r\n")
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(payload), payload))
            self.wfile.flush()


class Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


def main():
    # Nothing is printed before the host listens.
    while frame()[0] != b"H":
        pass
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.daemon = True
    thread.start()
    send(b"L", 0, json.dumps({"port": server.server_address[1]}).encode())
    while True:
        kind, number, payload = frame()
        mine = waiting.get(number)
        if mine is not None:
            mine.put((kind, payload))


if __name__ == "__main__":
    # Python itself must not print where the frames go.
    sys.stdout = sys.stderr
    main()
