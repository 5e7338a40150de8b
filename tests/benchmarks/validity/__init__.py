"""The validity suite: error rates and power of every method where the truth is known.

From the folder above, ``python -m validity -o OUT`` runs it (see ``--help``). It writes
``runs_*.csv`` with the scores of every data set, ``validity.csv``, the table of their means and
standard errors, and ``validity.png``, one page of figures:

V1
    Simulated samples, 3 to 24 per group: clean, with outliers, with libraries that a few genes
    fill, with libraries of unequal depth, with batches.
V2
    The same without any change.
V3
    Replicates of one condition of real data, split at random.
V4
    Labels permuted at more than 50 per group, with and without winsorising [Li2022]_.
V5
    Single cells of donors who differ, in themselves and in what the condition does to them.

Real data are found through ``DEX_REALDATA``. R's methods run beside ours where ``--rscript`` or
``DEX_RSCRIPT`` says how R is called. ``tests/test_validity.py`` holds a few of the data sets to the
gates.

.. [Li2022] Li Y, Ge X, Peng F, Li W, Li JJ (2022). Exaggerated false positives by popular
   differential expression methods when analyzing human population samples. Genome Biology 23, 79.
"""
