"""The frame that every page opens in: bars, palette, keys, notifications, and who looks."""
