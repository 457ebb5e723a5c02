"""Candidate → Task (validation) and Task + Patch → Verdict (judging)."""
