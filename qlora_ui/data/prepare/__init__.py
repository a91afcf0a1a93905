"""From a query to data that are ready to train: over all cores, kept in a cache, with every row accounted for.

work      one block of rows, in whichever process
pool      blocks dealt to processes, results in order
rows      what is known of all rows; their tokens on the disk
choose    duplicates, what is held out, weights
survey    what a person should hear of it
cache     the folders that keep it
"""

from qlora_ui.data.prepare.conversations import Loaded, load
from qlora_ui.data.prepare.make import OnProgress, prepare
from qlora_ui.data.prepare.prepared import Counts, Examples, Prepared

__all__ = ["Counts", "Examples", "Loaded", "OnProgress", "Prepared", "load", "prepare"]
