"""What the other parts of the kernel are made of: errors, types, values, the base of models."""
