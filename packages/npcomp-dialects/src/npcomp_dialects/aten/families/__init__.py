"""Families: what ops of a kind share (dtype rules, inference, the frame of their lowering)."""
