"""Runs over many machines: a Dask cluster's workers hold the containers, all else stays here."""
