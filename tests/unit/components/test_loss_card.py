from __future__ import annotations

from qlora_ui.components.loss_card import csv_of
from qlora_ui.jobs.history import Curves


def test_the_figures_as_csv_leave_out_what_was_not_measured() -> None:
    curves = Curves()
    for step, value in ((1, 3.0), (2, 2.5), (3, 2.0)):
        curves.add("loss", step, value)
    curves.add("eval_loss", 2, 2.75)
    assert csv_of(curves) == "step,loss,eval_loss\n1,3.0,\n2,2.5,2.75\n3,2.0,\n"
