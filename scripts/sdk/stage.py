"""What the checks stand on: a simulator of their own, a client of the SDK for it, and a receiver of webhooks."""

import http.server
import json
import os
import queue
import re
import subprocess
import threading
import unittest
import urllib.error
import urllib.request

import anthropic
import pydantic

API_KEY = "sk-ant-api-right"
SIGNING_KEY = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

# Long, because a busy machine is no reason to fail.
PATIENCE_SECONDS = 60

AGENT = "agent_01SimulatedAgent0000000001"
ENVIRONMENT = "env_01SimulatedEnvironment000001"

# The generation that sends a bearer token, and no ?beta=true, began with the first major version.
IS_OLD = anthropic.__version__.startswith("0.")


class Simulator:
    """A simulator on a free port, until it is stopped."""

    def __init__(self):
        environment = {**os.environ, "NO_COLOR": "1", "RUST_LOG": "info", "ANTHROPIC_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
        arguments = ["serve", "--listen", "127.0.0.1:0", "--webhook-url", "http://127.0.0.1:9/", "--turn-ms", "0"]
        self.process = subprocess.Popen(
            [os.environ["HOLDFAST_SIMULATOR_PROGRAM"], *arguments, "--api-key", API_KEY, "--time-scale", "0.001"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        started = re.compile(r"simulator started.*address=([0-9.:]+)")
        for line in self.process.stderr:
            if found := started.search(line):
                self.url = f"http://{found.group(1)}"
                break
        else:
            raise RuntimeError("the simulator did not start")
        # Nobody reads on; a full pipe would stop it.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)

    def control(self, method, path, body=None):
        """Makes a control call and answers its JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/_sim/{path}", data, {"content-type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def play(self, scenario, **how):
        """Plays a scenario and waits for its webhooks."""
        return self.control("POST", f"scenarios/{scenario}", {"wait": True, **how})

    def calls(self, kind):
        """How many API calls of a kind, such as `GET /v1/vaults`, there have been."""
        return self.control("GET", "state")["calls"]["by_kind"].get(kind, 0)


class Receiver:
    """A receiver of webhooks on a free port, which keeps what it gets and answers 200."""

    def __init__(self):
        received = self.received = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                received.put((body, dict(self.headers)))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks/default"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def next(self):
        """The next delivery: body and headers."""
        return self.received.get(timeout=PATIENCE_SECONDS)

    def all(self):
        """Every delivery that has arrived and was not asked for."""
        found = []
        while not self.received.empty():
            found.append(self.received.get_nowait())
        return found


class Check(unittest.TestCase):
    """Checks with a simulator of their own; what one leaves behind is gone before the next."""

    @classmethod
    def setUpClass(cls):
        cls.simulator = Simulator()
        cls.client = cls.make_client()

    @classmethod
    def tearDownClass(cls):
        cls.simulator.stop()

    def setUp(self):
        self.simulator.control("POST", "reset", {})

    @classmethod
    def make_client(cls, **options):
        """A client of the SDK, with its defaults unless told otherwise."""
        options = {"api_key": API_KEY, "webhook_key": SIGNING_KEY, **options}
        return anthropic.Anthropic(base_url=cls.simulator.url, **options)

    def assert_fits(self, answer):
        """Asserts that a raw answer has all that its type in the SDK asks for; the SDK itself never looks.

        It must not have more either, but for the generation before, which does not know everything. Answers the
        parsed object.
        """
        parsed = answer.parse()
        checked = type(parsed).model_validate_json(answer.http_response.content)
        if not IS_OLD:
            self.assertEqual(unknown(checked), [])
        return parsed


def unknown(value, path=""):
    """The paths of all members that the SDK has no name for."""
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in unknown(item, f"{path}[{index}]")]
    if not isinstance(value, pydantic.BaseModel):
        return []
    extra = [f"{path}.{name} of {type(value).__name__}" for name in value.model_extra or {}]
    inner = [found for name in type(value).model_fields for found in unknown(getattr(value, name), f"{path}.{name}")]
    return extra + inner
