"""What both container images are made of: pinned bases, pinned weights, the list of their parts."""
