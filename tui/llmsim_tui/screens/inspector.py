"""The inspector as a dialog, for terminals that have no room to dock it."""

from __future__ import annotations

from textual.app import ComposeResult

from llmsim_tui.screens.mock_edit import mock_from
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.widgets.dossier import Dossier
from llmsim_tui.widgets.flows import Act, Flows


class Inspector(Dialog):
    """One exchange over the live screen; the list goes along with it."""

    AUTO_FOCUS = "#summary"
    place = "inspector"

    def __init__(self, number: int, flows: Flows) -> None:
        super().__init__()
        self.number = number
        self.flows = flows

    def compose(self) -> ComposeResult:
        """The dossier."""
        yield Dossier(self.number, id="dialog")
        yield from self.keys()

    def on_mount(self) -> None:
        """Shows the exchange."""
        self.show_keys()
        self.query_one(Dossier).show(self.number)

    def tick(self, beat: int) -> None:
        """Shows it as it stands, and what can be done to it."""
        self.query_one(Dossier).tick()
        self.show_keys()

    def on_dossier_closed(self) -> None:
        """Closes."""
        self.dismiss()

    def on_dossier_stepped(self, message: Dossier.Stepped) -> None:
        """Goes to the exchange listed next to this one."""
        number = self.flows.beside(self.query_one(Dossier).number, message.by)
        if number is not None:
            self.flows.select(number)
            self.query_one(Dossier).show(number)

    def on_dossier_wanted(self, message: Dossier.Wanted) -> None:
        """Looks into another one."""
        self.query_one(Dossier).show(message.number)

    def on_act(self, message: Act) -> None:
        """Does something to it, as the list below would."""
        self.app.screen_stack[0].post_message(Act(message.number, message.what))

    def on_dossier_mocked(self, message: Dossier.Mocked) -> None:
        """Opens an editor with a mock that answers such a request as this one was answered."""
        mock_from(self.console, message.number)
