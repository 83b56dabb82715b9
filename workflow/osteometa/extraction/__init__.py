"""The raw tables: their columns, how they are read, units and the codebook."""
