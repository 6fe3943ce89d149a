"""The checks, by what they look at; `verify.checks.all` has every row in the order of the page."""
