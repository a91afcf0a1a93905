"""Curves, bars and figures."""
