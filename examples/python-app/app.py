"""Answers HTTP with the state of its worker; ends with code 3 when it is asked to."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from s6x.supervise import ScanDir

STOPPED = 3


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/quit":
            self.server.running = False
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"the worker is {ScanDir()['worker'].status().state}\n".encode())


host, port = os.environ["LISTEN"].split(":")
server = HTTPServer((host, int(port)), Page)
server.running = True
while server.running:
    server.handle_request()
raise SystemExit(STOPPED)
