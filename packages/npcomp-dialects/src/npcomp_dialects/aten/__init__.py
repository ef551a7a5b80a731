"""The op library: every ATen op npcomp knows is one block here.

This folder imports neither torch nor MLIR, so it also runs at build time. Start at `registry`; write ops against
`builder`.
"""
