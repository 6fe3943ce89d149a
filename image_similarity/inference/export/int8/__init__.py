"""int8 artifacts: schemes in a fixed order, judged by the parity of what they make."""
