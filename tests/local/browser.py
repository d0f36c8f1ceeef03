"""Chromium without a window, driven over its own pipe: no driver, no package.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run"),
    *(
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
    ),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--no-default-browser-check",
    ),
    *("--host-resolver-rules=MAP *.example 127.0.0.1", "--lang=en"),
)
PATIENCE_SECONDS = 20


class Browser:
    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="chatmill-browser-")
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()

        def hand_over() -> None:
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        self._process = subprocess.Popen(
            [PROGRAM, *OPTIONS, f"--user-data-dir={self._folder.name}", "about:blank"],
            preexec_fn=hand_over,
            pass_fds=(3, 4, theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest = b""
        self._numbers = itertools.count(1)

    def call(self, method: str, session: str | None = None, **params) -> dict:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends_at:
            answer = self._read(ends_at)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
        raise TimeoutError(method)

    def _read(self, ends_at: float) -> dict:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(ends_at - time.monotonic(), 0))
            if not ready:
                raise TimeoutError("the browser says nothing")
            self._rest += os.read(self._in, 1 << 20)
        found, _, self._rest = self._rest.partition(b"\0")
        return json.loads(found)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        os.close(self._in)
        os.close(self._out)
        self._folder.cleanup()


class Tab:
    """A page in a profile of its own, or `beside` another tab in the same: then they share what the
    browser keeps."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        width: int = 1000,
        height: int = 760,
        beside: "Tab | None" = None,
        **features,
    ):
        self._browser, self._is_beside = browser, beside is not None
        self._context = (
            beside._context
            if beside
            else browser.call("Target.createBrowserContext")["browserContextId"]
        )
        target = browser.call(
            "Target.createTarget", url="about:blank", browserContextId=self._context
        )["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        media = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.call("Emulation.setEmulatedMedia", features=media)
        self.call("Page.navigate", url=url)

    def call(self, method: str, **params) -> dict:
        return self._browser.call(method, self._session, **params)

    def run(self, script: str):
        """`chat` is the widget's shadow root."""
        chat = "const chat = document.querySelector('[data-chatmill]')?.shadowRoot;"
        expression = f"(() => {{ {chat} {script} }})()"
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait for a JavaScript expression to become true."""
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends_at:
            if self.run(f"return Boolean({condition})"):
                return
            time.sleep(0.05)
        raise AssertionError(f"never came: {condition}; there is: {self.text()}")

    def text(self) -> str:
        return self.run(
            "return chat ? chat.querySelector('.panel').innerText : document.body.innerText"
        )

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def press(self, key: str, *modifiers: str) -> None:
        codes = {"Enter": 13, "Escape": 27, "Tab": 9}
        held = 8 if "Shift" in modifiers else 0
        named = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key], "modifiers": held}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def say(self, text: str) -> None:
        self.run("chat.querySelector('textarea').focus()")
        self.type(text)
        self.press("Enter")

    def offline(self, is_offline: bool) -> None:
        self.call(
            "Network.emulateNetworkConditions",
            **{
                "offline": is_offline,
                "latency": 0,
                "downloadThroughput": -1,
                "uploadThroughput": -1,
            },
        )

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        if not self._is_beside:  # it goes with the other
            self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)
