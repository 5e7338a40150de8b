"""Who is compared: a data frame ``obs`` and a question in; groups, a design and contrasts out.

:class:`~dex.design.comparison.Comparison` is the door. Behind it, ``groups`` turns a column into
codes, ``formula`` reads a formula safely, ``matrix`` makes the design, ``contrasts`` and
``grammar`` read what is asked of it, and ``replicates`` guesses the independent unit.
"""
