"""The command line beside hashes: what each finds in one folder, how fast, in how much memory."""
