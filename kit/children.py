"""Child processes that end with us: started directly, never left behind, and never as root where that is refused."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from kit.programs import NotStarted

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

Child = subprocess.Popen[bytes]

START_SECONDS_MAX = 60
LOG_BYTES_MAX = 10_000_000

_libc = ctypes.CDLL(None, use_errno=True)


def is_root() -> bool:
    """Whether this process runs as root, whom PostgreSQL refuses."""
    return os.geteuid() == 0


def nobody() -> tuple[int, int]:
    """User and group that PostgreSQL runs as when we are root."""
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def spawn(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    unprivileged: bool = False,
    environment: Mapping[str, str] | None = None,
    output: IO[Any] | int | None = None,
    keep: Sequence[int] = (),
) -> Child:
    """Start a child that gets `death_signal` when this process dies, however it dies (Linux only).

    Call it from the main thread: the signal is tied to the thread that started the child. `unprivileged` gives up
    root for `nobody`, `keep` are file descriptors the child inherits. The child has its own session, so that Ctrl-C
    in a terminal reaches only us and everything is stopped in the right order.
    """
    return subprocess.Popen(
        [str(word) for word in command],
        preexec_fn=_prepare(death_signal, unprivileged and is_root()),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        pass_fds=keep,
        start_new_session=True,
        cwd="/" if unprivileged else None,
    )


def stop(child: Child | None, how: signal.Signals, seconds: float) -> None:
    """Ask a child to end, and end it the hard way if it has not done so in time."""
    if child is None or child.poll() is not None:
        return
    child.send_signal(how)
    finish(child, seconds)


def finish(child: Child, seconds: float) -> None:
    """Wait for a child that was asked to end, and end it the hard way if it has not done so in time."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait(5)


def shorten(log: Path) -> None:
    """Start a log again that has grown too long."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_BYTES_MAX:
            os.truncate(log, 0)


def await_ready(name: str, child: Child, ready: Callable[[], bool], log: Path) -> None:
    """Return when `ready` says so. A child that ends or takes too long is `NotStarted`, with the end of its log."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not ready():
        if child.poll() is not None:
            raise NotStarted(story(f"{name} ended while it started.", log))
        if time.monotonic() > deadline:
            child.kill()
            raise NotStarted(story(f"{name} was not ready after {START_SECONDS_MAX} seconds.", log))
        time.sleep(0.01)


def story(what: str, log: Path) -> str:
    """A sentence, and the end of the log that explains it."""
    return "\n".join([what, f"The end of {log}:", *lines(log)[-8:]])


def lines(path: Path) -> list[str]:
    """The lines of a file, none if it is not there."""
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _prepare(death_signal: signal.Signals, drop_root: bool) -> Callable[[], None] | None:
    """What happens in the child between fork and exec. Everything is looked up here, before the fork."""
    linux = sys.platform == "linux"
    uid, gid = nobody() if drop_root else (0, 0)

    def prepare() -> None:
        if drop_root:
            _become(uid, gid, keep_reading=linux)
        if linux:  # after the change of user, which clears it
            _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)

    return prepare if drop_root or linux else None


def _become(uid: int, gid: int, *, keep_reading: bool) -> None:
    """Give up root, but keep the right to walk through folders closed to others.

    The programs and the data may lie below a home directory with mode 0700; with these two rights nothing has to be
    opened to everybody.
    """
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    if not keep_reading:
        os.setresuid(uid, uid, uid)
        return
    _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setresuid(uid, uid, uid)
    mask = (1 << _CAP_DAC_OVERRIDE) | (1 << _CAP_DAC_READ_SEARCH)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable; then the upper halves of the three
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if _libc.capset(header, sets) != 0:
        return  # a container that forbids it: works wherever the folders are readable anyway
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)
