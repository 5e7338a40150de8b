"""Statistics: arrays in, frozen dataclasses of arrays out, a file for each procedure."""
