"""The components that bring JavaScript modules of their own.

A browser learns the names of modules once, with the first page that it opens; the component may only come with a later
one. So these have to be known before any page is served.
"""

from qlora_ui.components.charts.chart import CurveChart
from qlora_ui.components.forms.drop_zone import DropZone

WITH_MODULES = (CurveChart, DropZone)
