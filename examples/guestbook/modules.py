"""UI modules: the parts of the pages."""

from store import Entry

from cyclone.locale import Locale
from cyclone.web import UIModule


class EntryModule(UIModule):
    """One entry, with what its owner may do to it."""

    def render(self, entry: Entry) -> bytes:
        user = self.current_user
        mine = user is not None and entry.user_id == user.id
        return self.render_string("_entry.html", entry=entry, mine=mine)


class Tally(UIModule):
    """How many have signed. It asks the database; the page goes on meanwhile."""

    async def render(self) -> str:
        return f'<p id="tally">{tally(self.locale, await self.handler.store.count())}</p>'


def tally(locale: Locale, count: int) -> str:
    """How many have signed, in words."""
    return locale.translate("%(count)d entry", "%(count)d entries", count) % {"count": count}
