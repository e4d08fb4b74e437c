# SPDX-License-Identifier: GPL-2.0-or-later
"""An HTTP server that guests find at 10.0.2.2, for as long as a test runs."""

import http.server
import threading


class Wire(http.server.ThreadingHTTPServer):
    """answer(PATH) gives the body, or None; a context manager."""

    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), _Request)
        self.answer = answer
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *exception):
        self.shutdown()
        super().__exit__(*exception)


class _Request(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.answer(self.path.lstrip("/"))
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *arguments):
        pass
