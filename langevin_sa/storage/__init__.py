"""Files: results, checkpoints, samples, caches; each written whole or not at all."""
