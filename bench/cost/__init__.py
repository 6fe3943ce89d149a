"""What a million requests cost, from dated prices and measured durations."""
