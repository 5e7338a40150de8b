"""Learning from expression without leakage: arrays and units in, models and scores out."""
