"""The mergeable fixed-size state of an account, one module per slice, folded by compiled kernels."""
