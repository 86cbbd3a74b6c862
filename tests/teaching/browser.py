"""A headless Chromium driven over a pipe: open a page, run JavaScript in it, take a picture, list
what it asked the network for.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from contextlib import suppress

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find():
    """Path of a Chromium, or None; $CHROMIUM beats the usual names."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A Chromium and one tab. Messages of the DevTools protocol are JSON that ends in a zero byte,
    read from 4 and written to 3.
    """

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(
            prefix="langevin_sa_", ignore_cleanup_errors=True
        )
        theirs, self.write_end = os.pipe()
        self.read_end, back = os.pipe()
        theirs, back = (_moved_up(end) for end in (theirs, back))
        flags = (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--remote-debugging-pipe",
            f"--user-data-dir={self.profile.name}",
        )
        quiet = [(os.POSIX_SPAWN_OPEN, k, os.devnull, os.O_RDWR, 0) for k in range(3)]
        pipes = [(os.POSIX_SPAWN_DUP2, theirs, 3), (os.POSIX_SPAWN_DUP2, back, 4)]
        self.process = os.posix_spawn(
            find(), [find(), *flags], os.environ, file_actions=[*quiet, *pipes]
        )
        os.close(theirs)
        os.close(back)
        self.number, self.left, self.events, self.session = 0, b"", [], None
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
                "sessionId"
            ]
            for domain in ("Page", "Runtime", "Network", "Log"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def call(self, method, **parameters):
        """The result of one command of the protocol."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters} | (
            {"sessionId": self.session} if self.session else {}
        )
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(60)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _next(self, seconds):
        """The next message; events are kept."""
        end = time.monotonic() + seconds
        while b"\0" not in self.left:
            if not select.select([self.read_end], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self.read_end, 1 << 20)
            if not data:
                raise RuntimeError("the browser ended")
            self.left += data
        text, self.left = self.left.split(b"\0", 1)
        message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message

    def open(self, url):
        """Load a page afresh; `events` then holds what has happened since."""
        self.call("Page.navigate", url="about:blank")
        self._wait("Page.loadEventFired")
        self.events.clear()
        self.call("Page.navigate", url=str(url))
        self._wait("Page.loadEventFired")

    def _wait(self, event, seconds=60):
        while not any(e["method"] == event for e in self.events):
            self._next(seconds)
        self.events = [e for e in self.events if e["method"] != event]

    def run(self, script):
        """The value of a JavaScript expression in the page; promises are awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(
                answer["exceptionDetails"].get("exception", {}).get("description")
                or answer["exceptionDetails"]["text"]
            )
        return answer["result"].get("value")

    def screen(self, width, height, scale=1, touch=False, dark=False):
        """Size of the window, and what the system prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=touch,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def press(self, key):
        """A key, down and up."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self, path, whole=False):
        """A PNG of the window, or of the whole page."""
        with open(path, "wb") as file:
            file.write(
                base64.b64decode(
                    self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)[
                        "data"
                    ]
                )
            )

    def requests(self):
        """Addresses of all that was asked for over the network since the page was opened."""
        return [
            e["params"]["request"]["url"]
            for e in self.events
            if e["method"] == "Network.requestWillBeSent"
        ]

    def errors(self):
        """Exceptions and messages of the browser since the page was opened."""
        thrown = [
            e["params"]["exceptionDetails"]
            for e in self.events
            if e["method"] == "Runtime.exceptionThrown"
        ]
        logged = [
            e["params"]["entry"]["text"] for e in self.events if e["method"] == "Log.entryAdded"
        ]
        return [d.get("exception", {}).get("description", d["text"]) for d in thrown] + logged

    def cpu_seconds(self):
        """Processor time of all the browser's processes so far."""
        session, self.session = self.session, None
        try:
            return sum(
                process["cpuTime"]
                for process in self.call("SystemInfo.getProcessInfo")["processInfo"]
            )
        finally:
            self.session = session

    def close(self):
        """End the browser."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGTERM)
        os.waitpid(self.process, 0)
        os.close(self.write_end)
        os.close(self.read_end)
        self.profile.cleanup()


def _moved_up(descriptor):
    """The same pipe's end under a number that is not in the way of 0 to 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
