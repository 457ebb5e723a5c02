"""Repository and GitHub → Candidate."""
