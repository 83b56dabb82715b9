"""What `import osteometa` offers: pools, effect sizes and reviews as data frames."""
