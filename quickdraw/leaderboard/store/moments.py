"""Time: moments are microseconds since 1970 (UTC); days are those of the competition's zone."""

from __future__ import annotations

import datetime
import time
import zoneinfo

from quickdraw.errors import QuickdrawError

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND


def now() -> int:
    """Return the current moment; code that depends on time takes this function as its clock."""
    return time.time_ns() // 1000


def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone by its IANA name, such as `Asia/Seoul`.

    Raises:
        QuickdrawError: no such zone.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise QuickdrawError(
            f"no time zone {name!r}. Expected: a name such as Asia/Seoul, Europe/Berlin or UTC"
        ) from None


def local(moment: int, zone_name: str) -> datetime.datetime:
    """Return a moment as the local time of a zone."""
    return datetime.datetime.fromtimestamp(moment // SECOND, zone(zone_name))


def text(moment: int | None, zone_name: str) -> str:
    """Format a moment as `2026-12-01 18:00` in a zone; empty for None."""
    return "" if moment is None else local(moment, zone_name).strftime("%Y-%m-%d %H:%M")


def parse(written: str, zone_name: str) -> int:
    """Return the moment of `2026-12-01 18:00` in a zone; an offset, as in `…T18:00+09:00`, wins.

    A local time that a change to summer time skips is read as an hour later, one that occurs twice
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
    """Return the day of a moment in a zone, `2026-12-01`, by which the daily limit counts."""
    return local(moment, zone_name).date().isoformat()


def day_start(moment: int, zone_name: str, days: int = 0) -> int:
    """Return when the day of a moment, or a later or earlier day, begins in a zone.

    Days with a change to or from summer time have 23 or 25 hours.
    """
    date = local(moment, zone_name).date() + datetime.timedelta(days=days)
    midnight = datetime.datetime.combine(date, datetime.time(), zone(zone_name))
    return round(midnight.timestamp()) * SECOND
