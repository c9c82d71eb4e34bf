"""The inspector docked beside the list, where the terminal is wide; else it opens as a dialog."""

from __future__ import annotations

from llmsim_tui.folding import docks
from llmsim_tui.screens.inspector import Inspector
from llmsim_tui.screens.mock_edit import mock_from
from llmsim_tui.screens.ticking import Ticking
from llmsim_tui.widgets.dossier import Dossier
from llmsim_tui.widgets.flows import Chosen, Flows, Inspect


class Docking(Ticking):
    """A screen with a list of requests and a place for the dossier of one."""

    inspecting = False
    frozen = False
    zoomed = ""

    def _fold(self) -> None:
        """Lays the panels out anew."""
        raise NotImplementedError

    @property
    def in_dossier(self) -> bool:
        """Whether the keys go to the docked inspector."""
        return self.focused is not None and self.query_one(Dossier) in self.focused.ancestors

    def _inspected(self) -> None:
        dossier = self.query_one(Dossier)
        if dossier.display and not self.frozen:
            dossier.tick()

    def on_inspect(self, message: Inspect) -> None:
        """Looks into an exchange: beside the list where there is room, else over it."""
        if not docks(*self.app.size):
            self.app.push_screen(Inspector(message.number, self.query_one(Flows)))
            return
        self.inspecting, self.zoomed = True, ""
        self._fold()
        dossier = self.query_one(Dossier)
        dossier.show(message.number)
        dossier.take_focus()

    def on_chosen(self, message: Chosen) -> None:
        """The docked inspector goes along with the list."""
        dossier = self.query_one(Dossier)
        if dossier.display and message.number != dossier.number:
            dossier.show(message.number)

    def on_dossier_closed(self) -> None:
        """Undocks the inspector."""
        self.inspecting = False
        self.set_focus(self.query_one(Flows))
        self._fold()
        self.call_after_refresh(self.console.refresh_views)

    def on_dossier_stepped(self, message: Dossier.Stepped) -> None:
        """Goes to the exchange listed next to the one that is looked into."""
        flows = self.query_one(Flows)
        number = flows.beside(self.query_one(Dossier).number, message.by)
        if number is not None:
            flows.select(number)

    def on_dossier_wanted(self, message: Dossier.Wanted) -> None:
        """Looks into another one."""
        self.query_one(Dossier).show(message.number)

    def on_dossier_mocked(self, message: Dossier.Mocked) -> None:
        """Opens an editor with a mock made from it."""
        mock_from(self.console, message.number)
