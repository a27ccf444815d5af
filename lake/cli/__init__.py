"""The command line: one module per verb, commands of stages generated from their fields."""
