"""Time, from one place: moments are microseconds since 1970 (UTC), days are the competition's."""

from __future__ import annotations

import datetime
import time
import zoneinfo

from quickdraw.errors import QuickdrawError

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND


def now() -> int:
    """Return this moment. Whatever depends on time takes a function such as this as its clock."""
    return time.time_ns() // 1000


def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone by its IANA name, such as `Asia/Seoul`.

    Raises:
        QuickdrawError: there is no such zone.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise QuickdrawError(
            f"no time zone {name!r}. Expected: a name such as Asia/Seoul, Europe/Berlin or UTC"
        ) from None


def local(moment: int, zone_name: str) -> datetime.datetime:
    """Return a moment as the clocks of a zone show it."""
    return datetime.datetime.fromtimestamp(moment // SECOND, zone(zone_name))


def text(moment: int | None, zone_name: str) -> str:
    """Return `2026-12-01 18:00`, in the competition's zone; empty for None."""
    return "" if moment is None else local(moment, zone_name).strftime("%Y-%m-%d %H:%M")


def parse(written: str, zone_name: str) -> int:
    """Return the moment of `2026-12-01 18:00` in a zone; `2026-12-01T18:00+09:00` says its own.

    A time that a change to summer time leaves out is taken as an hour later, one that comes twice
    as the first of the two (PEP 495, fold 0).

    Raises:
        QuickdrawError: it cannot be read.
    """
    try:
        read = datetime.datetime.fromisoformat(written.strip())
    except ValueError:
        raise QuickdrawError(
            f"a time such as '2026-12-01 18:00' expected. Received: {written!r:.80}"
        ) from None
    if read.tzinfo is None:
        read = read.replace(tzinfo=zone(zone_name))
    return round(read.timestamp()) * SECOND


def day(moment: int, zone_name: str) -> str:
    """Return the day of a moment, `2026-12-01`, in a zone: what the daily limit counts by."""
    return local(moment, zone_name).date().isoformat()


def day_start(moment: int, zone_name: str, days: int = 0) -> int:
    """Return when the day of a moment began in a zone, or a later or earlier day.

    Days with a change to or from summer time have 23 or 25 hours.
    """
    date = local(moment, zone_name).date() + datetime.timedelta(days=days)
    midnight = datetime.datetime.combine(date, datetime.time(), zone(zone_name))
    return round(midnight.timestamp()) * SECOND
