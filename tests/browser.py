"""A headless Chromium for tests, driven by the standard library alone."""

import fcntl
import json
import os
import select
import shutil
import signal
import time

COMMAND = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)
PATIENCE_S = 60  # a busy machine is no failure


class Browser:
    """Speaks the DevTools protocol: JSON that ends with a zero byte."""

    def __init__(self, profile):
        """Starts it with an empty profile folder."""
        # Chromium reads from its descriptor 3 and writes to 4.
        commands, self._commands = map(_high, os.pipe())
        self._replies, replies = map(_high, os.pipe())
        self._process = os.posix_spawn(
            COMMAND,
            [COMMAND, *OPTIONS, f"--user-data-dir={profile}"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, commands, 3),
                (os.POSIX_SPAWN_DUP2, replies, 4),
            ],
        )
        os.close(commands)
        os.close(replies)
        self._calls = 0
        self._unread = b""
        self.events = []

    def call(self, method, session=None, **params):
        """Calls a method of the protocol and waits for its result."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (reply := self._receive()).get("id") != self._calls:
            self.events.append(reply)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def wait_for(self, method, session):
        """Waits for an event that has come or is to come."""
        while not any(
            event.get("method") == method and event.get("sessionId") == session
            for event in self.events
        ):
            self.events.append(self._receive())

    def close(self):
        """Ends it, however it fares."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._commands)
        os.close(self._replies)

    def _receive(self):
        deadline = time.monotonic() + PATIENCE_S
        while b"\0" not in self._unread:
            left = max(0, deadline - time.monotonic())
            if not select.select([self._replies], [], [], left)[0]:
                raise TimeoutError(f"Chromium is silent for {PATIENCE_S} s")
            part = os.read(self._replies, 1 << 20)
            if not part:
                raise ConnectionError("Chromium has ended")
            self._unread += part
        message, self._unread = self._unread.split(b"\0", 1)
        return json.loads(message)


class Tab:
    """A page in a tab of its own, and what went wrong in it."""

    def __init__(self, browser, address):
        """Opens the address and waits until it is loaded."""
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")
        self._session = browser.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=address)
        browser.wait_for("Page.loadEventFired", self._session)

    def call(self, method, **params):
        """Calls a method of the protocol on this page."""
        return self._browser.call(method, self._session, **params)

    def run(self, script):
        """The value of a script; a promise's is waited for."""
        result = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def events(self, method):
        """The parameters of all events of a kind so far."""
        return [
            event["params"]
            for event in self._browser.events
            if event.get("method") == method and event.get("sessionId") == self._session
        ]

    def errors(self):
        """Uncaught exceptions, and errors in the console or the log."""
        thrown = self.events("Runtime.exceptionThrown")
        said = self.events("Runtime.consoleAPICalled")
        logged = self.events("Log.entryAdded")
        return (
            [event["exceptionDetails"] for event in thrown]
            + [event for event in said if event["type"] == "error"]
            + [e["entry"] for e in logged if e["entry"]["level"] == "error"]
        )

    def addresses(self):
        """What it has asked for, but for what it brings along."""
        asked = self.events("Network.requestWillBeSent")
        urls = [event["request"]["url"] for event in asked]
        return [url for url in urls if not url.startswith("data:")]


def _high(descriptor):
    """Moves a descriptor out of the way of 3 and 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
