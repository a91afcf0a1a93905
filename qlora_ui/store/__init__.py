"""What the app remembers between two starts: an index of adapters and datasets, and preferences, in one JSON file.

The run folders and the dataset folders are the truth; the index can be made again from them at any time.
"""
